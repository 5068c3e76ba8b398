package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

func TestPingAndPaths(t *testing.T) {
	addr := serve(t)
	f := func(path string, status int, want string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, text := do(t, req)
		if res.StatusCode != status || !strings.HasPrefix(text, want) {
			t.Fatalf("unexpected answer of %s: %d %q; want %d %q", path, res.StatusCode, text, status, want)
		}
	}
	f("/ping", 200, "Ok.\n")
	f("/replicas_status", 200, "Ok.\n")
	f("/", 200, "Ok.\n")
	f("/?query=SELECT%201;", 200, "1\n")
	f("/?query=SELECT%201;SELECT%202", 400, "Code: 62. DB::Exception: Syntax error (Multi-statements are not allowed)")
	f("/nothing", 404, "There is no handle /nothing")
}

func TestErrorsAsClickHouse(t *testing.T) {
	addr := serve(t, "--max-body", "1048576")
	mustAsk(t, addr, "CREATE TABLE e (a UInt64) ENGINE = MergeTree ORDER BY a")
	f := func(method, body string, status, code int, params ...string) {
		t.Helper()
		res, text := send(t, method, addr, body, params...)
		header := res.Header.Get("X-ClickHouse-Exception-Code")
		prefix := fmt.Sprintf("Code: %d. DB::Exception: ", code)
		if res.StatusCode != status || header != strconv.Itoa(code) ||
			!strings.HasPrefix(text, prefix) || !strings.HasSuffix(text, ")\n") {
			t.Fatalf("unexpected answer to %q %v: %d, code %s, %q; want %d, code %d", body, params, res.StatusCode,
				header, text, status, code)
		}
	}
	f("POST", "SELEC 1", 400, 62)
	f("POST", "", 400, 62)
	f("POST", "SELECT * FROM nope", 404, 60)
	f("POST", "SELECT nope", 404, 47)
	f("POST", "SELECT 1", 404, 81, "database", "no\x60pe")
	f("POST", "SELECT 1", 404, 115, "max_threadz", "1")
	f("POST", "SELECT 1", 400, 27, "max_threads", "many")
	f("POST", "SELECT {a:UInt8}", 400, 456)
	f("POST", "SELECT throwIf(1)", 500, 395)
	f("POST", "SELECT 1 FORMAT Nope", 404, 73)
	f("POST", endlessQuery, 408, 159, "max_execution_time", "0.2")
	f("POST", "x\n", 400, 117, "query", "INSERT INTO e FORMAT CSV")
	f("POST", "INSERT INTO e", 400, 62)
	f("POST", "INSERT INTO nope VALUES (1)", 404, 60)
	f("POST", "SET readonly = 0; DROP TABLE e; oops", 400, 62)
	f("POST", "SELECT 1 INTO OUTFILE '/tmp/x'", 500, 358)
	f("POST", "INSERT INTO e FROM INFILE '/tmp/x' FORMAT CSV", 500, 344)
	f("POST", strings.Repeat("1\n", 1<<19)+"1", 413, 229, "query", "INSERT INTO e FORMAT CSV")
	// GET only reads, whatever it says.
	f("GET", "", 500, 164, "query", "INSERT INTO e VALUES (1)")
	f("GET", "", 500, 164, "query", "DROP TABLE e", "readonly", "0")
	f("GET", "", 500, 164, "query", "SELECT 1 SETTINGS readonly = 0")
	if got := mustAsk(t, addr, "SELECT count() FROM e"); got != "0" {
		t.Fatalf("unexpected rows after nothing but errors: %s", got)
	}
}

func TestHeadersAndFormats(t *testing.T) {
	addr := serve(t)
	res, text := ask(t, addr, "SELECT {n:UInt8} + 1 AS n, {s:String} AS s", "param_n", "1", "param_s", "a'b",
		"default_format", "JSONEachRow", "query_id", "q1")
	if text != "{\"n\":2,\"s\":\"a'b\"}\n" {
		t.Fatalf("unexpected row %q", text)
	}
	for name, want := range map[string]string{
		"X-ClickHouse-Format": "JSONEachRow", "X-ClickHouse-Query-Id": "q1",
		"Content-Type": "application/x-ndjson; charset=UTF-8",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("unexpected %s: %q; want %q", name, got, want)
		}
	}
	if got := res.Header.Get("X-ClickHouse-Summary"); !strings.Contains(got, `"read_rows":"1"`) {
		t.Errorf("unexpected X-ClickHouse-Summary: %s", got)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		"http://"+addr+"/?query=SELECT+currentDatabase()+AS+d", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-ClickHouse-Database", "system")
	req.Header.Set("X-ClickHouse-Format", "CSVWithNames")
	if res, text := do(t, req); text != "\"d\"\n\"system\"\n" ||
		res.Header.Get("X-ClickHouse-Format") != "CSVWithNames" {
		t.Fatalf("unexpected answer %q, format %q", text, res.Header.Get("X-ClickHouse-Format"))
	}
	if res, _ := ask(t, addr, "SELECT 1 FORMAT CSV SETTINGS max_threads = 1;", "default_format",
		"JSON"); res.Header.Get("X-ClickHouse-Format") != "CSV" {
		t.Fatalf("unexpected format %q; the FORMAT clause wins", res.Header.Get("X-ClickHouse-Format"))
	}
}

func TestInsertsInEveryShape(t *testing.T) {
	addr := serve(t)
	mustAsk(t, addr, "CREATE DATABASE shapes")
	mustAsk(t, addr, "CREATE TABLE t (a UInt64, b String) ENGINE = MergeTree ORDER BY a", "database", "shapes")
	in := []string{"database", "shapes"}
	const content = "SELECT arrayStringConcat(groupArray(toString(a) || b), ' ') FROM (SELECT * FROM t ORDER BY a)"
	f := func(want string, body string, params ...string) {
		t.Helper()
		mustAsk(t, addr, body, append(params, in...)...)
		if got := mustAsk(t, addr, content, in...); got != want {
			t.Fatalf("unexpected rows after %q %v: %q; want %q", body, params, got, want)
		}
		mustAsk(t, addr, "TRUNCATE TABLE t", in...)
	}
	f("1x 2y", "1,x\n2,y\n", "query", "INSERT INTO t FORMAT CSV")
	f("1x 2y", "INSERT INTO t FORMAT CSV\n1,x\n2,y\n")
	f("1;x 2)", "INSERT INTO t VALUES (1, ';x'), (2, ')');")
	f("3c", "(3, 'c')", "query", "INSERT INTO shapes.t (a, b) VALUES")
	f("3", "VALUES (3)", "query", "INSERT INTO t (a)")
	f("4d", `{"a": 4, "b": "d"}`, "query", "INSERT INTO t SETTINGS max_threads = 1 FORMAT JSONEachRow")
	f("5é", "", "query", "INSERT INTO t SELECT {a:UInt8}, 'é'", "param_a", "5")
	f("", "", "query", "INSERT INTO t FORMAT CSV")
	f(`6\nz`, "6\t\\nz\n", "query", "insert /* format */ into t format TSV")
}

func TestGzipBody(t *testing.T) {
	addr := serve(t, "--max-body", "1048576")
	mustAsk(t, addr, "CREATE TABLE z (a UInt64) ENGINE = MergeTree ORDER BY a")
	post := func(rows int) (*http.Response, string) {
		var body bytes.Buffer
		gz := gzip.NewWriter(&body)
		_, _ = gz.Write(bytes.Repeat([]byte("1\n"), rows))
		_ = gz.Close()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
			"http://"+addr+"/?query=INSERT+INTO+z+FORMAT+CSV", &body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Encoding", "gzip")
		return do(t, req)
	}
	if res, text := post(100); res.StatusCode != http.StatusOK {
		t.Fatalf("unexpected answer: %s %s", res.Status, text)
	}
	// A small body that unpacks to more than the limit.
	if res, _ := post(1 << 20); res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Fatalf("unexpected status of a bomb: %s", res.Status)
	}
	if got := mustAsk(t, addr, "SELECT count() FROM z"); got != "100" {
		t.Fatalf("unexpected rows: %s", got)
	}
}
