package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// dial is how a Go program connects: HTTP, no compression.
func dial(t *testing.T, addr, database string) driver.Conn {
	t.Helper()
	conn, err := clickhouse.Open(&clickhouse.Options{
		Protocol: clickhouse.HTTP,
		Addr:     []string{addr},
		Auth:     clickhouse.Auth{Database: database, Username: "default", Password: ownerPassword},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// TestClickHouseGoWithGzip has the compression that tools pick over HTTP:
// request bodies are gzip; the client asks for gzip answers and takes plain
// ones.
func TestClickHouseGoWithGzip(t *testing.T) {
	conn, err := clickhouse.Open(&clickhouse.Options{
		Protocol:    clickhouse.HTTP,
		Addr:        []string{serve(t)},
		Auth:        clickhouse.Auth{Password: ownerPassword},
		Compression: &clickhouse.Compression{Method: clickhouse.CompressionGZIP, Level: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	mustExec(t, conn, "CREATE TABLE zipped (a UInt64) ENGINE = MergeTree ORDER BY a")
	batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO zipped")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(batch.Append(uint64(42)), batch.Send()); err != nil {
		t.Fatal(err)
	}
	var got uint64
	if err := conn.QueryRow(t.Context(), "SELECT sum(a) FROM zipped").Scan(&got); err != nil || got != 42 {
		t.Fatalf("unexpected sum %d, %v; want 42", got, err)
	}
}

func mustExec(t *testing.T, conn driver.Conn, sql string) {
	t.Helper()
	if err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func TestClickHouseGo(t *testing.T) {
	addr := serve(t)
	conn := dial(t, addr, "default")
	if err := conn.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	version, err := conn.ServerVersion()
	if err != nil || version.Revision != 0 || version.Version.Major < 26 {
		t.Fatalf("unexpected handshake: %+v, %v; want revision 0", version, err)
	}
	mustExec(t, conn, "CREATE DATABASE nudge")
	conn = dial(t, addr, "nudge")
	mustExec(t, conn, `CREATE TABLE events (id UInt64, kind LowCardinality(String)) ENGINE = MergeTree ORDER BY id
		SETTINGS non_replicated_deduplication_window = 100, fsync_after_insert = 1`)
	insert := func(token string, from, n uint64) {
		ctx := clickhouse.Context(t.Context(),
			clickhouse.WithSettings(clickhouse.Settings{"insert_deduplication_token": token}))
		batch, err := conn.PrepareBatch(ctx, "INSERT INTO events (id, kind)")
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			if err := batch.Append(from+i, fmt.Sprint("kind", i%3)); err != nil {
				t.Fatal(err)
			}
		}
		if err := batch.Send(); err != nil {
			t.Fatal(err)
		}
	}
	insert("a", 0, 1000)
	insert("a", 0, 1000) // resent: the token decides, not the rows
	insert("a", 5000, 3)
	insert("b", 1000, 1000)
	var rows, kinds uint64
	err = conn.QueryRow(t.Context(), "SELECT count(), uniqExact(kind) FROM events WHERE id >= {from:UInt64} AND "+
		"kind != {not:String}",
		clickhouse.Named("from", "500"), clickhouse.Named("not", "kind1")).Scan(&rows, &kinds)
	if err != nil || rows != 1001 || kinds != 2 {
		t.Fatalf("unexpected %d rows, %d kinds, %v; want 1001, 2", rows, kinds, err)
	}
	if err := conn.Select(t.Context(), &[]struct{ ID uint64 }{}, "SELECT id AS ID FROM events WHERE id > "+
		"1000000"); err != nil {
		t.Fatalf("unexpected error of an empty result: %v", err)
	}
	var big uint64
	query, err := conn.Query(t.Context(), "SELECT number FROM numbers(300000)") // several blocks
	if err != nil {
		t.Fatal(err)
	}
	for query.Next() {
		big++
	}
	if err := errors.Join(query.Err(), query.Close()); err != nil || big != 300000 {
		t.Fatalf("unexpected %d rows, %v; want 300000", big, err)
	}
}

func TestClickHouseGoErrors(t *testing.T) {
	addr := serve(t)
	conn := dial(t, addr, "default")
	var e *clickhouse.Exception
	if err := conn.Exec(t.Context(), "SELECT * FROM nope"); !errors.As(err, &e) || e.Code != 60 {
		t.Fatalf("unexpected error: %v; want an Exception with code 60", err)
	}
	mustExec(t, conn, "CREATE TABLE strict (a UInt64, CONSTRAINT small CHECK a < 10) ENGINE = MergeTree ORDER BY a")
	batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO strict")
	if err != nil {
		t.Fatal(err)
	}
	if err := batch.Append(uint64(11)); err != nil {
		t.Fatal(err)
	}
	if err := batch.Send(); !errors.As(err, &e) || e.Code != 469 {
		t.Fatalf("unexpected error: %v; want an Exception with code 469 (VIOLATED_CONSTRAINT)", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := conn.Exec(ctx, endlessQuery); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("unexpected error: %v; want the deadline", err)
	}
	// The client is gone, so the server ends the query by itself.
	until(t, addr, "SELECT count() FROM system.processes WHERE query LIKE 'SELECT count() FROM numbers%'", "0")
}

// row has every type that the warehouse uses.
type row struct {
	S  string     `ch:"s"`
	LC string     `ch:"lc"`
	U  uint64     `ch:"u"`
	I  int64      `ch:"i"`
	F  float64    `ch:"f"`
	T  time.Time  `ch:"t"`
	A  []string   `ch:"a"`
	N  *time.Time `ch:"n"`
}

func TestTypesRoundTrip(t *testing.T) {
	conn := dial(t, serve(t), "default")
	mustExec(t, conn, `CREATE TABLE types (s String, lc LowCardinality(String), u UInt64, i Int64, f Float64,
		t DateTime64(3, 'UTC'), a Array(String), n Nullable(DateTime64(3))) ENGINE = MergeTree ORDER BY u`)
	at := time.Date(2026, 11, 21, 20, 0, 0, 123e6, time.UTC)
	later := at.Add(time.Hour)
	want := []row{
		{"", "", 0, -1 << 63, -0.5, time.UnixMilli(0).UTC(), []string{}, nil},
		{"a\x00é'\\\n", "red", 1<<64 - 1, 1<<63 - 1, 1e300, at, []string{"", "x", "ÿ"}, &later},
	}
	batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO types")
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if err := batch.AppendStruct(&want[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
	var got []row
	if err := conn.Select(t.Context(), &got, "SELECT * FROM types ORDER BY u"); err != nil {
		t.Fatal(err)
	}
	for i := range got {
		got[i].T = got[i].T.UTC()
		if got[i].N != nil {
			utc := got[i].N.UTC()
			got[i].N = &utc
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("unexpected rows\n%+v; want\n%+v", got, want)
	}
}
