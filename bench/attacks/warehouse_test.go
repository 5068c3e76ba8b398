package attacks_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Who has the reader's password reads the tables of nudge and nothing else: no file, no
// network, no process, no other database, no setting that lifts a limit, no write.
func TestReaderOnlyReads(t *testing.T) {
	attack(t)
	s := begin(t, "")
	if a := s.track("victim", "Seen", `{}`); a.status != http.StatusOK {
		t.Fatalf("the event is answered with %d %s", a.status, a.text)
	}
	s.cell(60*time.Second, "1", "SELECT count() FROM nudge.events WHERE customer = 'victim'")
	var fetched atomic.Int64
	outside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fetched.Add(1) }))
	defer outside.Close()
	secret := filepath.Join(s.dir, "secret.txt")
	if err := os.WriteFile(secret, []byte("the-secret-line\n"), 0o644); err != nil { //nolint:gosec // it is to be readable
		t.Fatal(err)
	}
	file := "file('" + secret + "', 'LineAsString')"
	written := filepath.Join(s.dir, "written.txt")
	for _, sql := range forbidden(t, strings.NewReplacer("{file}", file, "{secret}", secret, "{written}", written,
		"{url}", outside.URL, "{dir}", s.dir, "{data}", s.data)) {
		a := s.query(sql)
		if a.status == http.StatusOK || a.status == 0 || strings.Contains(a.text, "the-secret-line") {
			t.Errorf("%s: answered with %d %.200s", sql, a.status, a.text)
		}
	}
	for _, path := range []string{
		"/?readonly=0", "/?max_execution_time=0", "/?max_memory_usage=0", "/?max_rows_to_read=0",
		"/?allow_introspection_functions=1", "/?user_files_path=" + url.QueryEscape(s.dir), "/?format_schema=x.proto",
	} {
		a := s.ask(http.MethodPost, s.clickhouse, path, s.reader(), "SELECT * FROM "+file)
		refused(t, path, a, "the-secret-line")
	}
	if _, err := os.Stat(written); err == nil {
		t.Error("a query wrote a file")
	}
	if n := fetched.Load(); n != 0 {
		t.Errorf("queries made %d requests", n)
	}
	s.cell(30*time.Second, "1", "SELECT count() FROM nudge.events WHERE customer = 'victim'")
}

// forbidden are the statements of the list, with the places filled in.
func forbidden(t *testing.T, places *strings.Replacer) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/forbidden.sql")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "--") {
			all = append(all, places.Replace(strings.TrimSpace(line)))
		}
	}
	return all
}

// What takes all of the machine is ended by a limit, and the server goes on.
func TestReaderHasLimits(t *testing.T) {
	attack(t)
	s := begin(t, "")
	for _, sql := range []string{
		"SELECT groupArray(number) FROM numbers(100000000000)",
		"SELECT repeat('x', 1000000000)",
		"SELECT arrayJoin(range(1000000000))",
		"SELECT number FROM numbers(1000000000000) ORDER BY rand()",
		"SELECT * FROM generateRandom('a String', 1, 1000000) LIMIT 1000000000",
	} {
		ended := make(chan answer, 1)
		go func() { ended <- s.ask(http.MethodPost, s.clickhouse, "/", s.reader(), sql) }()
		select {
		case a := <-ended:
			if a.status == http.StatusOK {
				t.Errorf("%s: answered with %d bytes", sql, len(a.text))
			}
		case <-time.After(90 * time.Second):
			t.Errorf("%s: still runs", sql)
		}
	}
	s.alive()
	s.cell(30*time.Second, "1", "SELECT 1")
}
