package clients_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/nudge-engine/nudge/internal/servertest"
)

const (
	ownerPassword  = "test-owner-password-1"
	readerPassword = "test-reader-password-1"
	accessDenied   = 497 // ClickHouse's code
)

// alone starts a clickhoused that serves by itself, with both accounts, and gives its address.
func alone(t *testing.T) string {
	t.Helper()
	dir, address := t.TempDir(), servertest.FreePort(t)
	owner, reader := filepath.Join(dir, "owner"), filepath.Join(dir, "reader")
	if err := errors.Join(os.WriteFile(owner, []byte(ownerPassword), 0o600),
		os.WriteFile(reader, []byte(readerPassword), 0o600)); err != nil {
		t.Fatal(err)
	}
	serve(t, nil, func() error { return healthy(t, "http://"+address+"/ping") }, "clickhoused", "serve",
		"--data", filepath.Join(dir, "data"), "--listen", address, "--password-file", owner,
		"--reader-password-file", reader)
	return address
}

// java is the command of a program in the folder java.
func java(t *testing.T, program string, args ...string) *exec.Cmd {
	t.Helper()
	dir := installed(t, "NUDGE_CLIENTS_JAVA")
	path := filepath.Join(dir, "classes") + string(os.PathListSeparator) + filepath.Join(dir, "dependency", "*")
	args = append([]string{"-Dfile.encoding=UTF-8", "-cp", path, program}, args...)
	return exec.CommandContext(t.Context(), "java", args...)
}

// Each client of ClickHouse writes to a clickhoused that serves alone and reads what it wrote;
// reads the rows of a nudged; and is told so when it may not write.
func TestWarehouseClients(t *testing.T) {
	needs(t, npm)
	address, s := alone(t), begin(t)
	finish(t, exec.CommandContext(t.Context(), filepath.Join(programs, "go"), s.url, s.keys.Write, "reads"))
	arrived(t, s, "reads", "analytics-go")
	const customer = "anon:reads-visitor"
	for _, c := range []struct {
		name, group string
		command     func(args ...string) *exec.Cmd
	}{
		{"node", npm, func(args ...string) *exec.Cmd { return node(t, "reads.js", args...) }},
		{"python", all, func(args ...string) *exec.Cmd { return python(t, "reads.py", args...) }},
		{"java", all, func(args ...string) *exec.Cmd { return java(t, "Reads", args...) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			needs(t, c.group)
			writes := c.command()
			writes.Env = []string{
				"CLICKHOUSE_ADDRESS=" + address, "CLICKHOUSE_OWNER_PASSWORD=" + ownerPassword,
				"CLICKHOUSE_READER_PASSWORD=" + readerPassword,
			}
			finish(t, writes)
			reads := c.command(customer)
			reads.Env = []string{"CLICKHOUSE_ADDRESS=" + s.clickhouse, "CLICKHOUSE_READER_PASSWORD=" + s.keys.Reader}
			finish(t, reads)
		})
	}
	t.Run("go", func(t *testing.T) {
		for _, method := range []clickhouse.CompressionMethod{
			clickhouse.CompressionNone, clickhouse.CompressionLZ4, clickhouse.CompressionZSTD, clickhouse.CompressionGZIP,
			clickhouse.CompressionDeflate, clickhouse.CompressionBrotli,
		} {
			t.Run(method.String(), func(t *testing.T) {
				writes(t, open(t, address, "default", ownerPassword, method), open(t, address, "reader", readerPassword, method))
				reads(t, open(t, s.clickhouse, "reader", s.keys.Reader, method), customer)
			})
		}
	})
}

func open(t *testing.T, address, user, password string, method clickhouse.CompressionMethod) driver.Conn {
	t.Helper()
	conn, err := clickhouse.Open(&clickhouse.Options{
		Protocol: clickhouse.HTTP, Addr: []string{address}, Auth: clickhouse.Auth{Username: user, Password: password},
		Compression: &clickhouse.Compression{Method: method, Level: 3},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// denied wants ClickHouse's own refusal.
func denied(t *testing.T, err error) {
	t.Helper()
	var e *clickhouse.Exception
	if !errors.As(err, &e) || e.Code != accessDenied {
		t.Errorf("the reader is told %v; want an exception with the code %d", err, accessDenied)
	}
}

func writes(t *testing.T, owner, reader driver.Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, sql := range []string{
		"CREATE DATABASE IF NOT EXISTS nudge",
		"CREATE OR REPLACE TABLE nudge.go (n UInt64, s Nullable(String), at DateTime64(3, 'UTC')) " +
			"ENGINE = MergeTree ORDER BY n",
	} {
		if err := owner.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	at := time.Date(2026, 3, 29, 1, 30, 0, 125e6, time.UTC)
	batch, err := owner.PrepareBatch(ctx, "INSERT INTO nudge.go (n, s, at)")
	if err != nil {
		t.Fatal(err)
	}
	text := "Łódź \"東京\"\n"
	for n := range uint64(1000) {
		if err := batch.Append(n, &text, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
	var found uint64
	var got *string
	var when time.Time
	err = reader.QueryRow(ctx, "SELECT uniqExact(n), any(s), any(at) FROM nudge.go WHERE n >= {low:UInt64}",
		clickhouse.Named("low", "500")).Scan(&found, &got, &when)
	if err != nil || found != 500 || got == nil || *got != text || !when.Equal(at) {
		t.Errorf("read %d %v %v, %v", found, got, when, err)
	}
	many, err := reader.Query(ctx, "SELECT number FROM numbers(200000)")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for many.Next() {
		n++
	}
	if err := errors.Join(many.Err(), many.Close()); err != nil || n != 200_000 {
		t.Errorf("read %d rows, %v", n, err)
	}
	denied(t, reader.Exec(ctx, "INSERT INTO nudge.go (n) VALUES (1)"))
}

func reads(t *testing.T, reader driver.Conn, customer string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var event, properties string
	var at, received time.Time
	err := reader.QueryRow(ctx, "SELECT event, properties, event_time, received_at FROM nudge.events "+
		"WHERE customer = {customer:String} AND type = 'track'", clickhouse.Named("customer", customer)).
		Scan(&event, &properties, &at, &received)
	if err != nil || event != "Cart Updated" || !strings.Contains(properties, "Grüße aus 東京 🛒") ||
		at.After(received) {
		t.Errorf("read %s %s %v %v, %v", event, properties, at, received, err)
	}
	denied(t, reader.Exec(ctx, "INSERT INTO nudge.events (customer) VALUES ('x')"))
	denied(t, reader.Exec(ctx, "DROP TABLE nudge.events"))
}
