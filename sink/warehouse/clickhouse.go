package warehouse

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/nudge-engine/nudge/internal/chproof"
)

// schema are the migrations, in the order of their names.
//
//go:embed schema/*.sql
var schema embed.FS

// Database is the name of the database with the tables.
const Database = "nudge"

// tokens is how many insert tokens a table remembers. A block takes a handful at most
// before the next is sent, so this is far more than needed.
const tokens = 10_000

// dialLimit bounds the time until the embedded ClickHouse takes a connection.
const dialLimit = 10 * time.Second

// ClickHouse is a warehouse in a ClickHouse server, reached over HTTP or the native
// protocol. It is safe for concurrent use.
type ClickHouse struct {
	conn clickhouse.Conn
	// durable makes the engine sync inserts before it answers. The embedded engine needs
	// it, since it has no replica.
	durable bool
}

// Open prepares a connection to url (http://host:port, clickhouse://host:port, with user
// and password where needed). Nothing is sent yet. durable is for an engine without a
// replica. The error is about the url.
func Open(url string, durable bool) (*ClickHouse, error) {
	options, err := clickhouse.ParseDSN(url)
	if err != nil {
		return nil, fmt.Errorf("warehouse: url: %w", err)
	}
	// The database of the tables does not exist before Migrate.
	options.Auth.Database = "default"
	if options.Auth.Username == "" {
		options.Auth.Username = "default"
	}
	options.Settings = clickhouse.Settings{"async_insert": 0}
	conn, err := clickhouse.Open(options)
	if err != nil {
		return nil, fmt.Errorf("warehouse: %w", err)
	}
	return &ClickHouse{conn: conn, durable: durable}, nil
}

// OpenOwn prepares connections to the embedded ClickHouse at address (HOST:PORT). On each
// new connection the other side first proves that it is the process that has the present
// secret; only then is the secret, and anything else, sent there: another program of the
// machine may have taken the port. Inserts are durable.
func OpenOwn(address string, secret func() string) (*ClickHouse, error) {
	conn, err := clickhouse.Open(&clickhouse.Options{
		Protocol: clickhouse.HTTP,
		Addr:     []string{address},
		Auth:     clickhouse.Auth{Database: "default"},
		Settings: clickhouse.Settings{"async_insert": 0},
		// The address of the caller is ignored: there is only one, and it was proved.
		DialContext: func(ctx context.Context, _ string) (net.Conn, error) {
			raw, err := (&net.Dialer{Timeout: dialLimit}).DialContext(ctx, "tcp", address)
			if err != nil {
				return nil, err
			}
			if err := chproof.Prove(ctx, raw, address, secret()); err != nil {
				return nil, errors.Join(err, raw.Close())
			}
			return raw, nil
		},
		TransportFunc: func(rt *http.Transport) (http.RoundTripper, error) {
			rt.Proxy = nil // a proxy would be proved, and then get everything
			return &signer{next: rt, secret: secret}, nil
		},
	})
	if err != nil {
		return nil, fmt.Errorf("warehouse: %w", err)
	}
	return &ClickHouse{conn: conn, durable: true}, nil
}

// signer adds to each request the user and the secret of the moment, which changes when
// the embedded process does.
type signer struct {
	next   *http.Transport
	secret func() string
}

// RoundTrip implements http.RoundTripper.
func (s *signer) RoundTrip(r *http.Request) (*http.Response, error) {
	// A RoundTripper must not change its request.
	r = r.Clone(r.Context())
	r.Header.Del("Authorization")
	r.Header.Set("X-ClickHouse-User", "writer")
	r.Header.Set("X-ClickHouse-Key", s.secret())
	return s.next.RoundTrip(r)
}

// CloseIdleConnections lets the HTTP client close the connections that are not in use.
func (s *signer) CloseIdleConnections() { s.next.CloseIdleConnections() }

// Migrate implements Warehouse. It creates the database and the table of migrations,
// refuses tables of a newer program, and runs the migrations that are missing, in order.
func (c *ClickHouse) Migrate(ctx context.Context) error {
	for _, statement := range []string{
		"CREATE DATABASE IF NOT EXISTS " + Database,
		"CREATE TABLE IF NOT EXISTS " + Database + ".migrations (version UInt32, at DateTime DEFAULT now()) " +
			"ENGINE = MergeTree ORDER BY version",
	} {
		if err := c.conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("warehouse: migrate: %w", err)
		}
	}
	var done uint32
	if err := c.conn.QueryRow(ctx, "SELECT max(version) FROM "+Database+".migrations").Scan(&done); err != nil {
		return fmt.Errorf("warehouse: migrate: %w", err)
	}
	entries, err := schema.ReadDir("schema")
	if err != nil {
		return fmt.Errorf("warehouse: migrate: %w", err)
	}
	// Writing on could lose columns that the newer program fills.
	if int(done) > len(entries) {
		return fmt.Errorf("warehouse: the tables have version %d, this program knows %d; use a newer program",
			done, len(entries))
	}
	first, err := c.missing(ctx)
	if err != nil {
		return fmt.Errorf("warehouse: migrate: %w", err)
	}
	// The number is inserted last: a migration that was cut off is run again.
	for i := first; i < len(entries); i++ {
		if err := c.migration(ctx, entries[i].Name()); err != nil {
			return err
		}
		insert := fmt.Sprintf("INSERT INTO %s.migrations (version) VALUES (%d)", Database, i+1)
		if err := c.conn.Exec(ctx, insert); err != nil {
			return fmt.Errorf("warehouse: migrate: %w", err)
		}
	}
	return nil
}

// missing returns how many migrations are there before the first that is not, which is
// the index of the one to run next.
func (c *ClickHouse) missing(ctx context.Context) (n int, err error) {
	rows, err := c.conn.Query(ctx, "SELECT DISTINCT version FROM "+Database+".migrations ORDER BY version")
	if err != nil {
		return 0, err
	}
	for rows.Next() {
		var version uint32
		if err := rows.Scan(&version); err != nil {
			return 0, errors.Join(err, rows.Close())
		}
		if int(version) == n+1 {
			n++
		}
	}
	return n, errors.Join(rows.Err(), rows.Close())
}

// migration runs the statements of one file. Tables and views are created only if they
// are missing, so that a migration that was cut off can be run again from its start.
func (c *ClickHouse) migration(ctx context.Context, file string) error {
	text, err := schema.ReadFile("schema/" + file)
	if err != nil {
		return fmt.Errorf("warehouse: migrate: %w", err)
	}
	settings := fmt.Sprintf("non_replicated_deduplication_window = %d", tokens)
	if c.durable {
		settings += ", fsync_after_insert = 1, fsync_part_directory = 1"
	}
	all := strings.NewReplacer("{{database}}", Database, "{{settings}}", settings).Replace(string(text))
	all = strings.ReplaceAll(all, "CREATE TABLE ", "CREATE TABLE IF NOT EXISTS ")
	all = strings.ReplaceAll(all, "CREATE VIEW ", "CREATE VIEW IF NOT EXISTS ")
	// A statement ends with a semicolon at the end of a line.
	for _, statement := range strings.Split(all, ";\n") {
		if strings.TrimSpace(uncommented(statement)) == "" {
			continue
		}
		if err := c.conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("warehouse: migration %s: %w", file, err)
		}
	}
	return nil
}

// uncommented returns a statement without its comment lines.
func uncommented(statement string) string {
	lines := strings.Split(statement, "\n")
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, "--") }), "\n")
}

// Insert implements Warehouse. Asynchronous inserts are off: they could be acknowledged
// before they are stored.
func (c *ClickHouse) Insert(ctx context.Context, token string, t *Table) error {
	names := make([]string, len(t.Columns))
	types := make([]clickhouse.ColumnNameAndType, len(t.Columns))
	for i, column := range t.Columns {
		names[i] = column.Name
		types[i] = clickhouse.ColumnNameAndType{Name: column.Name, Type: column.Type}
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithColumnNamesAndTypes(types),
		clickhouse.WithSettings(clickhouse.Settings{
			"insert_deduplication_token": token, "async_insert": 0,
			"insert_deduplicate": 1,
		}))
	batch, err := c.conn.PrepareBatch(ctx, fmt.Sprintf("INSERT INTO %s.%s (%s)", Database, t.Name,
		strings.Join(names, ", ")))
	if err != nil {
		return fmt.Errorf("warehouse: insert into %s: %w", t.Name, err)
	}
	for i, column := range t.Columns {
		if err := batch.Column(i).Append(column.Values); err != nil {
			return errors.Join(fmt.Errorf("warehouse: insert into %s: %s: %w", t.Name, column.Name, err), batch.Abort())
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("warehouse: insert into %s: %w", t.Name, err)
	}
	return nil
}

// Has implements Warehouse.
func (c *ClickHouse) Has(ctx context.Context, table string, block uint64) (rows uint64, err error) {
	query := fmt.Sprintf("SELECT count() FROM %s.%s WHERE block = %d", Database, table, block)
	if err := c.conn.QueryRow(ctx, query).Scan(&rows); err != nil {
		return 0, fmt.Errorf("warehouse: %s: %w", table, err)
	}
	return rows, nil
}

// Rows returns how many rows a table has.
func (c *ClickHouse) Rows(ctx context.Context, table string) (rows uint64, err error) {
	if err := c.conn.QueryRow(ctx, "SELECT count() FROM "+Database+"."+table).Scan(&rows); err != nil {
		return 0, fmt.Errorf("warehouse: %s: %w", table, err)
	}
	return rows, nil
}

// Close implements Warehouse.
func (c *ClickHouse) Close() error { return c.conn.Close() }
