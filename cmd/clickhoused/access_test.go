package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/internal/chproof"
)

// withTables is a server that has what nudged makes, and a secret file beside it.
func withTables(t *testing.T) (addr, secret string) {
	t.Helper()
	dir := t.TempDir()
	secret = filepath.Join(dir, "node.json")
	if err := os.WriteFile(secret, []byte("hidden-in-a-file"), 0o600); err != nil {
		t.Fatal(err)
	}
	addr = start(t, filepath.Join(dir, "data")).ready()
	for _, sql := range []string{
		"CREATE DATABASE nudge", "CREATE TABLE nudge.events (a UInt64, s String) ENGINE = MergeTree ORDER BY a",
		"INSERT INTO nudge.events VALUES (1, 'x'), (2, 'y')", "CREATE VIEW nudge.v AS SELECT a FROM nudge.events",
		"CREATE DATABASE other", "CREATE TABLE other.t (a String) ENGINE = Memory",
		"INSERT INTO other.t VALUES ('hidden-in-a-table')",
	} {
		mustAsk(t, addr, sql)
	}
	return addr, secret
}

// What analysts and their tools ask works as the user reader.
func TestReaderReads(t *testing.T) {
	addr, _ := withTables(t)
	f := func(sql, want string, params ...string) {
		t.Helper()
		res, text := read(t, addr, sql, params...)
		if res.StatusCode != http.StatusOK || want != "*" && strings.TrimSpace(text) != want {
			t.Errorf("%s %v: unexpected %s %q; want %q", sql, params, res.Status, text, want)
		}
	}
	f("SELECT sum(a) FROM nudge.events", "3")
	f("SELECT sum(a) FROM events", "3", "database", "nudge")
	f("SELECT sum(a) FROM nudge.v FORMAT JSONEachRow", `{"sum(a)":3}`)
	f("SELECT sum(a) FROM nudge.events FORMAT CSV SETTINGS max_threads = 1;", "3")
	f("SELECT sum(a) FROM nudge.events SETTINGS max_threads = 1, max_execution_time = 2.5 FORMAT CSV", "3")
	f("SELECT sum(a) FROM nudge.events", "3", "max_execution_time", "5", "max_threads", "2", "readonly", "2")
	// A client's own deadline may be longer than the reader's time, which holds.
	f("SELECT value FROM system.settings WHERE name = 'max_execution_time'", "60", "max_execution_time", "65")
	f("SELECT value FROM system.settings WHERE name = 'max_execution_time' SETTINGS max_execution_time = 3600", "60")
	f("WITH e AS (SELECT a FROM nudge.events) SELECT count() FROM e JOIN nudge.events USING a", "2")
	f("SELECT a FROM {t:Identifier} WHERE s = {s:String}", "2", "param_t", "events", "param_s", "y", "database", "nudge")
	f("SELECT count() FROM (SELECT 1 UNION ALL SELECT 2)", "2")
	f("SELECT count() FROM numbers(3) AS n, (SELECT * FROM generateRandom('x UInt8', 1, 1, 1) LIMIT 1) AS r SETTINGS max_rows_to_read=100", "*")
	f("/* a */ SELECT 'file(' || '/etc/passwd)' -- file('x')", "file(/etc/passwd)")
	f("SELECT name FROM system.databases WHERE name IN ('nudge', 'other')", "nudge")
	f("SELECT count() > 0 FROM system.columns WHERE database = 'nudge'", "1")
	f("SELECT count() > 0 FROM information_schema.tables", "1")
	f("SELECT count() > 100 FROM system.settings", "1")
	f("SHOW TABLES FROM nudge", "events\nv")
	f("SHOW DATABASES", "*")
	f("SHOW CREATE TABLE nudge.events", "*")
	f("SHOW COLUMNS FROM nudge.events LIKE 'a'", "*")
	f("DESCRIBE TABLE nudge.events", "*")
	f("DESCRIBE (SELECT a FROM nudge.events)", "a\tUInt64")
	f("EXPLAIN SELECT a FROM nudge.events", "*")
	f("EXPLAIN PIPELINE SELECT a FROM nudge.events", "*")
	f("EXISTS TABLE nudge.events", "1")
	f("USE nudge", "")
	f("EXPLAIN actions = 1 SELECT a FROM nudge.events", "*")
	f("SET max_threads = 1", "")
	f("SELECT hex(s) FROM (SELECT arrayJoin(['a']) AS s)", "61")
}

// Nothing that a reader can write reaches files, network, other databases, others'
// statements, or lifts a limit.
func TestReaderReachesNothing(t *testing.T) {
	addr, secret := withTables(t)
	f := func(sql string, params ...string) {
		t.Helper()
		sql = strings.ReplaceAll(sql, "SECRET", secret)
		res, text := read(t, addr, sql, params...)
		if res.StatusCode == http.StatusOK || strings.Contains(text, "hidden-in-a") {
			t.Errorf("%s %v: unexpected %s %.200q; want a refusal", sql, params, res.Status, text)
		}
	}
	// files
	f("SELECT * FROM file('SECRET', 'LineAsString')")
	f("SELECT file('SECRET')")
	f("SELECT `file`('SECRET')")
	f("SELECT * APPLY(file) FROM (SELECT 'SECRET')")
	f("SELECT * APPLY file FROM (SELECT 'SECRET')")
	f("SELECT COLUMNS('x') APPLY `file` FROM (SELECT 'SECRET' AS x)")
	f("SELECT arrayMap(file, ['SECRET'])")
	f("SELECT arrayMap(x -> file(x), ['SECRET'])")
	f("WITH file AS f SELECT arrayMap(f, ['SECRET'])")
	f("WITH (SELECT file('SECRET')) AS x SELECT length(x)")
	f("SELECT count() FROM numbers(1) WHERE (SELECT file('SECRET')) LIKE 'hidden%'")
	f("SELECT 1 ORDER BY file('SECRET')")
	f("SELECT number FROM numbers(1) ORDER BY number WITH FILL TO length(file('SECRET'))")
	f("EXPLAIN SELECT file('SECRET')")
	f("EXPLAIN QUERY TREE SELECT file('SECRET')")
	f("EXPLAIN SYNTAX run_query_tree_passes = 1 SELECT file('SECRET')")
	f("DESCRIBE (SELECT file('SECRET'))")
	f("DESCRIBE TABLE file('SECRET')")
	f("DESC file('SECRET', 'CSV')")
	f("SELECT /* x */ * /* y */ FROM /* z */ file /**/ ('SECRET', 'LineAsString')")
	f("SELECT * FROM view(SELECT * FROM file('SECRET', 'LineAsString'))")
	f("SELECT 1 IN (SELECT * FROM file('SECRET', 'TSV', 'a UInt8'))")
	f("SELECT 1 IN file('SECRET', 'TSV', 'a UInt8')")
	f("SELECT filesystemAvailable()")
	f("SELECT * FROM filesystem('/')")
	f("SELECT * FROM sqlite('SECRET', 't')")
	f("SELECT 1 INTO OUTFILE '" + secret + ".new'")
	f("SELECT 1 AS a$x$ INTO OUTFILE '" + secret + ".new' -- $x$")
	f("SELECT 1 INTO/**/OUTFILE '" + secret + ".new' FORMAT CSV")
	f("INSERT INTO FUNCTION file('" + secret + ".new', 'CSV', 'a UInt8') VALUES (1)")
	f("INSERT INTO FUNCTION file('" + secret + ".new', 'CSV', 'a UInt8') SELECT 1")
	// network, processes, other servers
	for _, source := range []string{
		"url('http://127.0.0.1:1/', 'CSV', 'a UInt8')", "s3('http://127.0.0.1:1/x', 'CSV')", "remote('127.0.0.1:1', system.one)",
		"remoteSecure('127.0.0.1:1', system.one)", "mysql('127.0.0.1:1', 'd', 't', 'u', 'p')",
		"postgresql('127.0.0.1:1', 'd', 't', 'u', 'p')", "mongodb('127.0.0.1:1', 'd', 'c', 'u', 'p', 'a UInt8')",
		"redis('127.0.0.1:1', 'a', 'a String')", "jdbc('x', 'y', 'z')", "odbc('x', 'y', 'z')",
		"executable('x.sh', 'CSV', 'a UInt8')", "hdfs('hdfs://127.0.0.1:1/x', 'CSV', 'a UInt8')",
		"cluster('default', system.one)", "clusterAllReplicas('default', system.one)", "input('a UInt8')",
		"merge('other', '.*')", "merge(REGEXP('.*'), '.*')", "dictionary('d')", "eval('SELECT 1')", "fuzzQuery('SELECT 1')",
		"loop(other.t)", "viewExplain('EXPLAIN', '', (SELECT 1))", "mergeTreeIndex(nudge, events)", "fileCluster('x', 'y', 'CSV')",
		"deltaLakeLocal('/etc')", "icebergLocal('/etc')", "azureBlobStorage('x', 'y', 'z')", "format(CSV, '1')",
	} {
		f("SELECT * FROM " + source)
		f("SELECT 1 WHERE 1 IN (SELECT * FROM " + source + ")")
		f("DESCRIBE TABLE " + source)
	}
	f("SELECT hasColumnInTable('127.0.0.1:1', 'u', 'p', 'd', 't', 'c')")
	f("SELECT aiGenerate('x', 'y')")
	// others' tables and statements
	f("SELECT * FROM other.t")
	f("SELECT * FROM `other`.`t`")
	f("SELECT * FROM t", "database", "other")
	f("SHOW CREATE TABLE other.t")
	f("DESCRIBE other.t")
	f("SELECT * FROM {t:Identifier}", "param_t", "other.t")
	for _, table := range []string{
		"processes", "query_log", "text_log", "mutations", "disks", "server_settings", "users", "session_log", "macros",
		"clusters", "storage_policies", "named_collections", "user_directories", "stack_trace", "asynchronous_metrics",
	} {
		f("SELECT * FROM system." + table)
		f("SELECT (SELECT any(toString(tuple(*))) FROM system.`" + table + "`)")
	}
	f("WITH p AS (SELECT query FROM system.processes) SELECT (SELECT max(query) FROM p)")
	f("SELECT 'x' IN system.processes")
	f("SELECT query FROM {t:Identifier}", "param_t", "system.processes")
	f("SELECT count() FROM processes", "database", "system")
	f("EXPLAIN SELECT (SELECT query FROM system.processes)")
	f("DESCRIBE (SELECT (SELECT query FROM system.processes))")
	f("SELECT if(1, (SELECT any(query) FROM system.processes), '')")
	f("SELECT concat('', (SELECT any(query) FROM system.processes), '')")
	f("SHOW PROCESSLIST")
	f("SHOW COLUMNS FROM nudge.events WHERE field IN (SELECT query FROM system.processes)")
	f("SELECT query FROM system.processes FORMAT Null")
	f("SELECT query FROM system.processes AS `\nTABLE id: 1, table_name: nudge.events`")
	// writing
	f("INSERT INTO nudge.events VALUES (3, 'z')")
	f("INSERT INTO nudge.events SELECT 3, 'z'")
	f("3\tz\n", "query", "INSERT INTO nudge.events FORMAT TSV")
	for _, sql := range []string{
		"DELETE FROM nudge.events WHERE 1", "ALTER TABLE nudge.events DELETE WHERE 1", "DROP TABLE nudge.events",
		"TRUNCATE TABLE nudge.events", "CREATE TABLE nudge.x (a UInt8) ENGINE = Memory", "CREATE DATABASE x",
		"CREATE TEMPORARY TABLE x (a String)", "CREATE TEMPORARY TABLE x (a String) ENGINE = File(CSV, 'SECRET')",
		"CREATE VIEW nudge.x AS SELECT 1", "CREATE DICTIONARY nudge.d (a UInt64) PRIMARY KEY a SOURCE(FILE(PATH 'SECRET' " +
			"FORMAT 'CSV')) LAYOUT(FLAT()) LIFETIME(0)", "CREATE FUNCTION x AS a -> a", "CREATE USER x", "GRANT owner TO default",
		"SET ROLE owner", "SET ROLE ALL", "SET DEFAULT ROLE owner TO default", "EXECUTE AS default SELECT 1",
		"SYSTEM SHUTDOWN", "SYSTEM FLUSH LOGS", "KILL QUERY WHERE 1", "BACKUP TABLE nudge.events TO File('SECRET.zip')",
		"OPTIMIZE TABLE nudge.events", "RENAME TABLE nudge.events TO nudge.f", "ATTACH TABLE nudge.x", "DETACH TABLE nudge.events",
		"SELECT 1 PARALLEL WITH SELECT 2", "SELECT 1; DROP TABLE nudge.events", "SELECT 1; SET ROLE owner; SELECT 1",
		"CHECK TABLE nudge.events", "BEGIN TRANSACTION", "SHOW USERS", "SHOW ACCESS", "SHOW CREATE USER default",
	} {
		f(sql)
	}
	if got := mustAsk(t, addr, "SELECT count(), sum(a) FROM nudge.events"); got != "2\t3" {
		t.Errorf("the reader wrote: %q", got)
	}
	if _, err := os.Stat(secret + ".new"); err == nil {
		t.Error("the reader wrote a file")
	}
}

// A reader lifts no limit: neither in the URL, nor in the statement, nor by SET.
func TestReaderKeepsItsLimits(t *testing.T) {
	addr, _ := withTables(t)
	f := func(name, value string, code int) {
		t.Helper()
		want := strconv.Itoa(code)
		for _, got := range []func() (*http.Response, string){
			func() (*http.Response, string) { return read(t, addr, "SELECT 1", name, value) },
			func() (*http.Response, string) {
				return read(t, addr, fmt.Sprintf("SELECT 1 SETTINGS %s = '%s'", name, value))
			},
			func() (*http.Response, string) {
				return read(t, addr, fmt.Sprintf("SELECT * FROM (SELECT 1 SETTINGS %s = '%s')", name, value))
			},
			func() (*http.Response, string) {
				return read(t, addr, fmt.Sprintf("SET %s = '%s'", name, value), "session_id", "s")
			},
		} {
			res, text := got()
			header := res.Header.Get("X-ClickHouse-Exception-Code")
			if header != want && header != "164" {
				t.Errorf("%s = %s: unexpected %s %s; want code %s", name, value, res.Status, text, want)
			}
		}
	}
	f("readonly", "0", 164)
	f("allow_ddl", "1", 164)
	f("max_execution_time", "0", 452)
	f("max_execution_time", "1e9", 452)
	f("max_execution_time", "-1", 452)
	f("max_memory_usage", "0", 452)
	f("max_memory_usage", "1099511627776", 452)
	f("max_result_rows", "0", 452)
	f("max_rows_to_read", "99999999999999", 452)
	f("max_threads", "100000", 452)
	f("dialect", "prql", 164)
	f("format_schema", "/etc/passwd:X", 164)
	f("allow_introspection_functions", "1", 164)
	f("allow_experimental_eval_table_function", "1", 164)
	f("max_temporary_non_const_columns", "0", 164)
	f("enable_url_encoding", "1", 164)
	if res, text := read(t, addr, endlessQuery, "max_rows_to_read", "1000"); res.Header.Get(
		"X-ClickHouse-Exception-Code") != "158" {
		t.Errorf("unexpected answer above the limit of rows: %s %s", res.Status, text)
	}
	if res, text := read(t, addr, "SELECT count() FROM numbers(10000000000) WHERE NOT ignore(rand())",
		"max_execution_time", "0.2"); res.Header.Get("X-ClickHouse-Exception-Code") != "159" {
		t.Errorf("unexpected answer above the limit of time: %s %s", res.Status, text)
	}
}

// The other accounts reach no files and no network either.
func TestOwnerReachesNoFiles(t *testing.T) {
	addr, secret := withTables(t)
	for _, sql := range []string{
		"SELECT file('SECRET')", "SELECT * FROM file('SECRET', 'LineAsString')", "SELECT arrayMap(file, ['SECRET'])",
		"SELECT * APPLY(file) FROM (SELECT 'SECRET')", "CREATE VIEW default.x AS SELECT file('SECRET')",
		"CREATE TABLE default.x (a String DEFAULT file('SECRET')) ENGINE = Memory",
		"CREATE TABLE default.x (a String) ENGINE = File(CSV, 'SECRET')",
		"CREATE TABLE default.x (a String) ENGINE = URL('http://127.0.0.1:1/', CSV)",
		"INSERT INTO other.t VALUES (file('SECRET'))", "INSERT INTO other.t SELECT file('SECRET')",
		"INSERT INTO FUNCTION file('SECRET.new', 'CSV', 'a UInt8') VALUES (1)", "SELECT * FROM url('http://127.0.0.1:1/', CSV)",
		"CREATE DATABASE x ENGINE = Filesystem('/')", "CREATE DATABASE x ENGINE = SQLite('SECRET')",
		"CREATE DATABASE x ENGINE = MySQL('127.0.0.1:1', 'd', 'u', 'p')",
		"CREATE DICTIONARY default.d (a UInt64) PRIMARY KEY a SOURCE(FILE(PATH 'SECRET' FORMAT 'CSV')) LAYOUT(FLAT()) LIFETIME(0)",
		"CREATE TABLE default.x (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = local, path = '/tmp/x/')",
		"SET ROLE ALL", "BACKUP TABLE other.t TO File('SECRET.zip')", "CREATE TEMPORARY TABLE x (a String) ENGINE = File(CSV)",
		"CREATE USER x", "SELECT * FROM executable('x.sh', 'CSV', 'a UInt8')",
	} {
		sql = strings.ReplaceAll(sql, "SECRET", secret)
		if res, text := ask(t, addr, sql); res.StatusCode == http.StatusOK {
			t.Errorf("%s: unexpected %s %.100q; want a refusal", sql, res.Status, text)
		}
	}
	if got := mustAsk(t, addr, "SELECT count() FROM other.t"); got != "1" {
		t.Errorf("unexpected rows: %s", got)
	}
}

// The writer, whose secret comes by a pipe, writes the database nudge and no other, and
// proves to the parent who it is.
func TestWriterOfAParent(t *testing.T) {
	const secret = "a-secret-of-this-start"
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewEncoder(w).Encode(inherited{Writer: secret, Reader: readerPassword}); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	c := startWith(t, t.TempDir(), func(cmd *exec.Cmd) { cmd.ExtraFiles = []*os.File{r} }, "--accounts-fd", "3")
	_ = r.Close()
	addr := c.ready()
	f := func(sql string, code string) {
		t.Helper()
		res, text := ask(t, addr, sql, "user", "writer", "password", secret)
		if got := res.Header.Get("X-ClickHouse-Exception-Code"); got != code {
			t.Errorf("%s: unexpected code %q, %s; want %q", sql, got, text, code)
		}
	}
	f("CREATE DATABASE IF NOT EXISTS nudge", "")
	f("CREATE TABLE nudge.e (a UInt64) ENGINE = MergeTree ORDER BY a", "")
	f("INSERT INTO nudge.e VALUES (1)", "")
	f("DELETE FROM nudge.e WHERE a = 7", "")
	f("ALTER TABLE nudge.e ADD COLUMN b UInt8", "")
	f("SELECT a FROM nudge.e", "")
	f("CREATE DATABASE other", "497")
	f("CREATE TABLE default.x (a UInt8) ENGINE = Memory", "497")
	f("SELECT file('/etc/passwd')", "497")
	f("INSERT INTO nudge.e VALUES (length(file('/etc/passwd')))", "497")
	f("SYSTEM FLUSH LOGS", "497")
	f("SET ROLE owner", "497")
	for _, user := range []string{"default", "owner"} { // there is no such account here
		if res, _ := ask(t, addr, "SELECT 1", "user", user, "password", secret); res.StatusCode != http.StatusForbidden {
			t.Errorf("unexpected status for the user %s: %s", user, res.Status)
		}
	}
	nonce := strings.Repeat("ab", chproof.NonceBytes)
	text := get(t, addr, chproof.Path+"?nonce="+nonce)
	raw, _ := hex.DecodeString(nonce)
	if text != hex.EncodeToString(chproof.Answer(secret, raw)) {
		t.Errorf("unexpected answer to the challenge: %q", text)
	}
}

func TestPasswords(t *testing.T) {
	addr := serve(t)
	f := func(status int, header http.Header, query string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+"/?"+query,
			strings.NewReader("SELECT 1"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = header
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != status {
			t.Errorf("%v %s: unexpected %s; want %d", header, query, res.Status, status)
		}
	}
	f(403, http.Header{}, "")
	f(403, http.Header{}, "user=default")
	f(403, http.Header{}, "user=default&password=wrong")
	f(403, http.Header{}, "user=reader&password="+ownerPassword)
	f(403, http.Header{}, "user=writer&password="+ownerPassword)
	f(403, http.Header{}, "user=nobody&password="+ownerPassword)
	f(200, http.Header{}, "user=default&password="+ownerPassword)
	f(200, http.Header{}, "user=reader&password="+readerPassword)
	f(200, http.Header{"X-Clickhouse-User": {"reader"}, "X-Clickhouse-Key": {readerPassword}}, "")
	f(403, http.Header{"X-Clickhouse-User": {"reader"}, "X-Clickhouse-Key": {"x"}}, "user=reader&password="+readerPassword)
}

// A server without a password, or with a short one, does not start.
func TestPasswordIsNeeded(t *testing.T) {
	for _, password := range []string{"", "short"} {
		c := startWith(t, t.TempDir(), func(cmd *exec.Cmd) {
			cmd.Env = slices.DeleteFunc(cmd.Env, func(v string) bool { return strings.HasPrefix(v, "CLICKHOUSED_PASSWORD=") })
			cmd.Env = append(cmd.Env, "CLICKHOUSED_PASSWORD="+password)
		})
		c.await("password of the user default")
		if err := c.ended(); err == nil {
			t.Errorf("unexpected exit 0 with the password %q", password)
		}
	}
}

// What a browser sends for a page of another site is refused, whatever it asks.
func TestForeignPages(t *testing.T) {
	addr := serve(t, "--allowed-hosts", "Rows.example.com,other.example")
	f := func(status int, path, host string, header http.Header) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+path, strings.NewReader("SELECT 1"))
		if err != nil {
			t.Fatal(err)
		}
		if host != "" {
			req.Host = host
		}
		for name, values := range header {
			req.Header[name] = values
		}
		if res, text := do(t, req); res.StatusCode != status {
			t.Errorf("%s Host %q %v: unexpected %s %q; want %d", path, host, header, res.Status, text, status)
		}
	}
	f(200, "/", "", nil)
	f(200, "/", "localhost:8123", nil)
	f(200, "/", "LOCALHOST", nil)
	f(200, "/", "[::1]:8123", nil)
	f(200, "/", "rows.example.com", nil)
	f(200, "/", "other.example.:443", nil)
	for _, path := range []string{"/", "/ping", "/challenge"} {
		f(403, path, "evil.example", nil)
		f(403, path, "127.0.0.1.evil.example:8123", nil)
		f(403, path, "localhost.evil.example", nil)
		f(403, path, "", http.Header{"Origin": {"http://evil.example"}})
		f(403, path, "", http.Header{"Origin": {"null"}})
		f(403, path, "", http.Header{"Origin": {"http://localhost:1"}})
		f(403, path, "", http.Header{"Sec-Fetch-Site": {"cross-site"}})
		f(403, path, "", http.Header{"Sec-Fetch-Site": {"same-site"}})
	}
	f(200, "/", "", http.Header{"Origin": {"http://" + addr}, "Sec-Fetch-Site": {"same-origin"}})
	f(200, "/", "", http.Header{"Sec-Fetch-Site": {"none"}})
}
