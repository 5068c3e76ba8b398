import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.util.Properties;

/**
 * Reads and writes with clickhouse-jdbc as shipped: only host, user and password are set. With an
 * argument it reads the rows of that customer in a nudged; without one it writes to a clickhoused
 * that serves alone, and reads what it wrote.
 */
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

    private static void expect(Object want, Object got) {
        if (!want.equals(got)) {
            throw new AssertionError(got + "; want " + want);
        }
    }

    /** Wants that a reader may not run a statement. */
    private static void refused(Connection c, String sql) throws SQLException {
        try (Statement s = c.createStatement()) {
            s.execute(sql);
            throw new AssertionError("a reader wrote: " + sql);
        } catch (SQLException e) {
            if (!String.valueOf(e).contains("497")) {
                throw e;
            }
        }
    }

    private static void write(String compress) throws SQLException {
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
    }

    private static void read(String compress) throws SQLException {
        try (Connection c = connect("reader", "CLICKHOUSE_READER_PASSWORD", compress)) {
            try (PreparedStatement p = c.prepareStatement("SELECT uniqExact(n) FROM nudge.java WHERE n >= ?")) {
                p.setLong(1, 500);
                ResultSet r = p.executeQuery();
                r.next();
                expect(500L, r.getLong(1));
            }
            ResultSet tables = c.getMetaData().getTables(null, "nudge", "%", null);
            boolean found = false;
            while (tables.next()) {
                found |= tables.getString("TABLE_NAME").equals("java");
            }
            expect(true, found);
            refused(c, "INSERT INTO nudge.java VALUES (1, 'x')");
        }
    }

    /** Wants each type as the client has it, and many rows one by one. */
    private static void readTypes() throws SQLException {
        String text = "Łódź \"東京\"\n\\ it's";
        try (Connection c = connect("reader", "CLICKHOUSE_READER_PASSWORD", null)) {
            try (PreparedStatement p = c.prepareStatement("SELECT ? AS text, toInt8(-7), 0.25::Float64, true, "
                    + "null::Nullable(String), '12345678901.234567'::Decimal(18, 6), "
                    + "toDateTime64('2026-03-29 01:30:00.125', 3, 'UTC'), 18446744073709551615::UInt64")) {
                p.setString(1, text);
                ResultSet r = p.executeQuery();
                r.next();
                expect(text, r.getString(1));
                expect(-7, r.getInt(2));
                expect(0.25, r.getDouble(3));
                expect(true, r.getBoolean(4));
                expect(true, r.getString(5) == null && r.wasNull());
                expect(new BigDecimal("12345678901.234567"), r.getBigDecimal(6));
                expect(Instant.parse("2026-03-29T01:30:00.125Z"), r.getObject(7, ZonedDateTime.class).toInstant());
                expect(new BigDecimal("18446744073709551615"), r.getBigDecimal(8));
            }
            try (Statement s = c.createStatement()) {
                ResultSet r = s.executeQuery("SELECT number, toString(number) FROM numbers(200000)");
                long found = 0;
                while (r.next()) {
                    expect(String.valueOf(found++), r.getString(2));
                }
                expect(200000L, found);
            }
        }
    }

    /** Wants the row of a cart that another client sent. */
    private static void readRows(String customer) throws SQLException {
        try (Connection c = connect("reader", "CLICKHOUSE_READER_PASSWORD", null)) {
            try (PreparedStatement p = c.prepareStatement("SELECT event, properties, event_time, received_at "
                    + "FROM nudge.events WHERE customer = ? AND type = 'track'")) {
                p.setString(1, customer);
                ResultSet r = p.executeQuery();
                r.next();
                expect("Cart Updated", r.getString(1));
                expect(true, r.getString(2).contains("Grüße aus 東京 🛒"));
                expect(false, r.getObject(3, ZonedDateTime.class).isAfter(r.getObject(4, ZonedDateTime.class)));
            }
            refused(c, "INSERT INTO nudge.events (customer) VALUES ('x')");
            refused(c, "DROP TABLE nudge.events");
        }
    }

    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            readRows(args[0]);
        } else {
            for (String compress : new String[] {null, "compress", "decompress", "client.use_http_compression"}) {
                write(compress);
                read(compress);
            }
            readTypes();
        }
        System.out.println("ok");
    }
}
