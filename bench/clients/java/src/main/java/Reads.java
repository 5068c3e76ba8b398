import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;

/** Reads and writes with clickhouse-jdbc as shipped: only host, user and password are set. */
public final class Reads {
    private static Connection connect(String user, String password, String compress) throws SQLException {
        Properties p = new Properties();
        p.setProperty("user", user);
        p.setProperty("password", System.getenv(password));
        if (compress != null) {
            p.setProperty(compress, "true");
        }
        return DriverManager.getConnection("jdbc:ch://" + System.getenv("CLICKHOUSE_ADDRESS") + "/nudge", p);
    }

    public static void main(String[] args) throws Exception {
        for (String compress : new String[] {null, "compress", "decompress", "client.use_http_compression"}) {
            try (Connection c = connect("default", "CLICKHOUSE_OWNER_PASSWORD", compress); Statement s = c.createStatement()) {
                s.execute("CREATE DATABASE IF NOT EXISTS nudge");
                s.execute("CREATE OR REPLACE TABLE nudge.java (n UInt64, s String) ENGINE = MergeTree ORDER BY n");
                try (PreparedStatement p = c.prepareStatement("INSERT INTO nudge.java (n, s) VALUES (?, ?)")) {
                    for (int n = 0; n < 1000; n++) {
                        p.setLong(1, n);
                        p.setString(2, "it's " + n);
                        p.addBatch();
                    }
                    p.executeBatch();
                }
            }
            try (Connection c = connect("reader", "CLICKHOUSE_READER_PASSWORD", compress); Statement s = c.createStatement()) {
                try (PreparedStatement p = c.prepareStatement("SELECT uniqExact(n) FROM nudge.java WHERE n >= ?")) {
                    p.setLong(1, 500);
                    ResultSet r = p.executeQuery();
                    r.next();
                    if (r.getLong(1) != 500) {
                        throw new AssertionError(r.getLong(1));
                    }
                }
                ResultSet tables = c.getMetaData().getTables(null, "nudge", "%", null);
                boolean found = false;
                while (tables.next()) {
                    found |= tables.getString("TABLE_NAME").equals("java");
                }
                if (!found) {
                    throw new AssertionError("the metadata has no table");
                }
                try {
                    s.execute("INSERT INTO nudge.java VALUES (1, 'x')");
                    throw new AssertionError("a reader inserted rows");
                } catch (SQLException e) {
                    if (!String.valueOf(e).contains("497")) {
                        throw e;
                    }
                }
            }
        }
        System.out.println("ok");
    }
}
