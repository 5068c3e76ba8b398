package main

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/klauspost/compress/zstd"
)

// Every Content-Encoding works in both directions, and a body that unpacks to more than
// the limit is refused.
func TestContentEncodings(t *testing.T) {
	addr := serve(t, "--max-body", "1048576")
	mustAsk(t, addr, "CREATE TABLE z (a String) ENGINE = MergeTree ORDER BY a")
	post := func(encoding string, rows int) (*http.Response, string) {
		t.Helper()
		var body bytes.Buffer
		to, err := encoder(encoding, &body)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := to.Write(bytes.Repeat([]byte("1\n"), rows)); err != nil {
			t.Fatal(err)
		}
		if err := to.Close(); err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
			"http://"+addr+"/?query=INSERT+INTO+z+FORMAT+CSV", &body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Encoding", encoding)
		return do(t, req)
	}
	for _, encoding := range encodings {
		if res, text := post(encoding, 100); res.StatusCode != http.StatusOK {
			t.Errorf("%s: unexpected answer %s %s", encoding, res.Status, text)
		}
		if res, text := post(encoding, 1<<20); res.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: unexpected answer to a bomb: %s %s", encoding, res.Status, text)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+"/?enable_http_compression=1",
			strings.NewReader("SELECT repeat('a', 20) FROM numbers(100000)"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept-Encoding", encoding+", identity;q=0.1")
		res, packed := do(t, req)
		if res.Header.Get("Content-Encoding") != encoding {
			t.Errorf("%s: unexpected Content-Encoding %q", encoding, res.Header.Get("Content-Encoding"))
			continue
		}
		from, err := decoding(encoding, strings.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(from)
		if err != nil || bytes.Count(text, []byte("\n")) != 100000 || len(packed) >= len(text) {
			t.Errorf("%s: %d bytes unpack to %d, error %v", encoding, len(packed), len(text), err)
		}
	}
	if res, _ := post("gzip", 0); res.StatusCode != http.StatusOK {
		t.Errorf("unexpected answer to nothing, packed: %s", res.Status)
	}
	if got := mustAsk(t, addr, "SELECT count() FROM z"); got != "500" {
		t.Errorf("unexpected rows: %s; want 500", got)
	}
	if res := mustAsk(t, addr, "SELECT 1"); res != "1" { // not asked for
		t.Errorf("unexpected answer %q", res)
	}
}

// ClickHouse's own blocks, as its drivers send and read them.
func TestClickHouseGoWithBlocks(t *testing.T) {
	addr := serve(t)
	mustAsk(t, addr, "CREATE TABLE zipped (a UInt64) ENGINE = MergeTree ORDER BY a")
	for i, method := range []clickhouse.CompressionMethod{clickhouse.CompressionLZ4, clickhouse.CompressionZSTD} {
		conn, err := clickhouse.Open(&clickhouse.Options{
			Protocol: clickhouse.HTTP, Addr: []string{addr}, Auth: clickhouse.Auth{Password: ownerPassword},
			Compression: &clickhouse.Compression{Method: method},
		})
		if err != nil {
			t.Fatal(err)
		}
		batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO zipped")
		if err != nil {
			t.Fatal(err)
		}
		for n := range uint64(200000) {
			if err := batch.Append(n); err != nil {
				t.Fatal(err)
			}
		}
		if err := batch.Send(); err != nil {
			t.Fatal(err)
		}
		var got uint64
		rows, err := conn.Query(t.Context(), "SELECT a FROM zipped")
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			got++
		}
		if want := uint64(200000 * (i + 1)); rows.Err() != nil || got != want {
			t.Errorf("method %v: unexpected %d rows, %v; want %d", method, got, rows.Err(), want)
		}
		if err := errors.Join(rows.Close(), conn.Close()); err != nil {
			t.Error(err)
		}
	}
}

// Blocks that lie about themselves are refused before memory is spent on them.
func TestBlocksThatLie(t *testing.T) {
	var good bytes.Buffer
	if err := writeBlocks(&good, bytes.Repeat([]byte("x"), 3*blockData/2)); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(newBlockReader(bytes.NewReader(good.Bytes()), 2*blockData))
	if err != nil || len(text) != 3*blockData/2 {
		t.Fatalf("unexpected %d bytes, %v", len(text), err)
	}
	f := func(name string, change func([]byte) []byte) {
		t.Helper()
		bad := change(bytes.Clone(good.Bytes()))
		if _, err := io.ReadAll(newBlockReader(bytes.NewReader(bad), 2*blockData)); err == nil {
			t.Errorf("%s: unexpected nil error", name)
		}
	}
	f("cut off", func(b []byte) []byte { return b[:len(b)-1] })
	f("cut off in the head", func(b []byte) []byte { return b[:10] })
	f("checksum", func(b []byte) []byte { b[0]++; return b })
	f("method", func(b []byte) []byte { b[blockSum]++; return b })
	f("packed length", func(b []byte) []byte { b[blockSum+4] = 0xff; return b })
	f("unpacked length", func(b []byte) []byte { b[blockSum+8] = 0x7f; return b })
	// A zstd block that unpacks to more than it says.
	to, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	bomb := to.EncodeAll(make([]byte, 64<<20), nil)
	if err := (&blockReader{limit: blockData}).unpack(methodZSTD, bomb, 10); err == nil {
		t.Error("a bomb: unexpected nil error")
	}
}
