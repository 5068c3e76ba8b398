package chdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/internal/enginefetch"
)

const endlessQuery = "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(rand())"

// engine is shared: the library allows one per process (H1).
var engine *Engine

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// run stops the engine after the tests, which fails when a test left a
// connection open.
func run(m *testing.M) (code int, err error) {
	fetcher, err := enginefetch.New(os.Stderr)
	if err != nil {
		return 0, err
	}
	lib, err := fetcher.Path(context.Background())
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "chdb-test-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if engine, err = Open(lib, dir, ""); err != nil {
		return 0, err
	}
	code = m.Run()
	return code, engine.Close()
}

func connect(t *testing.T, settings ...Setting) *Conn {
	t.Helper()
	conn, err := engine.Connect(settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

func mustQuery(t *testing.T, c *Conn, sql string, params ...Param) string {
	t.Helper()
	r, err := c.Query(t.Context(), sql, "TabSeparatedRaw", params...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return strings.TrimSuffix(string(r.Data), "\n")
}

func wantCode(t *testing.T, err error, code int) {
	t.Helper()
	var e *Exception
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Text, fmt.Sprintf("Code: %d. DB::Exception:",
		code)) {
		t.Fatalf("unexpected error: %v; want an exception with code %d", err, code)
	}
}

func TestQueryWithParams(t *testing.T) {
	c := connect(t)
	got := mustQuery(t, c, "SELECT {s:String}, length({bin:String}), {e:String}, {a:Array(UInt8)}",
		Param{"s", `it's`}, Param{"bin", "a\x00b"}, Param{"e", ""}, Param{"a", "[1,2]"})
	if want := "it's\t3\t\t[1,2]"; got != want {
		t.Fatalf("unexpected row %q; want %q", got, want)
	}
	_, err := c.Query(t.Context(), "SELECT {missing:UInt8}", "TSV")
	wantCode(t, err, 456)
	if got := mustQuery(t, c, "SELECT 1"); got != "1" {
		t.Fatalf("unexpected answer after an error: %q", got)
	}
}

func TestInsertNativeWithToken(t *testing.T) {
	c := connect(t)
	mustQuery(t, c, "CREATE OR REPLACE TABLE token (a UInt64, b String) ENGINE = MergeTree ORDER BY a SETTINGS "+
		"non_replicated_deduplication_window = 100")
	block, err := c.Query(t.Context(), "SELECT number AS a, 'x\\0y' AS b FROM numbers(1000)", "Native")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 { // the third with another token
		with := connect(t, Setting{"insert_deduplication_token", fmt.Sprint("k", i/2)})
		if _, err := with.Insert(t.Context(), "INSERT INTO token (a, b)", "Native", block.Data); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := mustQuery(t, c, "SELECT count(), sum(length(b)) FROM token"), "2000\t6000"; got != want {
		t.Fatalf("unexpected content %q; want %q", got, want)
	}
	_, err = c.Insert(t.Context(), "INSERT INTO token (a, nope)", "Native", block.Data)
	wantCode(t, err, 16)
	_, err = c.Insert(t.Context(), "INSERT INTO token (a, b)", "Native", block.Data[:100])
	wantCode(t, err, 33)
	if got := mustQuery(t, c, "SELECT count() FROM token"); got != "2000" {
		t.Fatalf("unexpected rows of a broken insert: %s; want 2000", got)
	}
}

func TestSettingsDieWithTheConnection(t *testing.T) {
	readOnly := connect(t, Setting{"readonly", "1"})
	_, err := readOnly.Query(t.Context(), "CREATE TABLE ro (a UInt8) ENGINE = Memory", "TSV")
	wantCode(t, err, 164)
	mustQuery(t, connect(t), "CREATE OR REPLACE TABLE ro (a UInt8) ENGINE = Memory")

	_, err = engine.Connect(Setting{"max_threadz", "1"})
	wantCode(t, err, 115)
	_, err = engine.Connect(Setting{"max_threads", "many"})
	wantCode(t, err, 27)
	_, err = engine.Connect(Setting{"max_threads=1 --readonly", "0"})
	wantCode(t, err, 115)
	if got := mustQuery(t, connect(t), "SELECT getSetting('async_insert')"); got != "0" && got != "false" {
		t.Fatalf("unexpected async_insert: %s; inserts must be synchronous", got)
	}
}

func TestStatementsAreCountedNotRun(t *testing.T) {
	c := connect(t)
	f := func(sql string, want int) {
		t.Helper()
		if got, err := c.Statements(sql); err != nil || got != want {
			t.Fatalf("unexpected count of %q: %d, %v; want %d", sql, got, err, want)
		}
	}
	f("SELECT 1", 1)
	f("SELECT 'a;b' -- ; c", 1)
	f("SET readonly = 0; DROP TABLE t", 2)
	f("SELEC 1", 0)
}

// TestCancelKillsTheQuery has a query that would run for an hour.
func TestCancelKillsTheQuery(t *testing.T) {
	c, watcher := connect(t), connect(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	go func() {
		defer cancel() // at the latest when the test's patience ends
		const running = "SELECT count() FROM system.processes WHERE query LIKE 'SELECT count() FROM numbers%'"
		for ctx.Err() == nil {
			r, err := watcher.Query(ctx, running, "TSV")
			if err != nil || string(r.Data) == "1\n" {
				return
			}
		}
	}()
	_, err := c.Query(ctx, endlessQuery, "TSV")
	wantCode(t, err, 394)
	if _, err := c.Query(ctx, "SELECT 1", "TSV"); !errors.Is(err, context.Canceled) {
		t.Fatalf("unexpected error with a dead context: %v", err)
	}
	if got := mustQuery(t, c, "SELECT 1"); got != "1" {
		t.Fatalf("unexpected answer after a kill: %q", got)
	}
}

func TestTimeLimit(t *testing.T) {
	pool := NewPool(engine, PoolOptions{ReadLimits: []Setting{{"max_execution_time", "1"}}})
	err := pool.Read(t.Context(), nil, func(c *Conn) error {
		_, err := c.Query(t.Context(), endlessQuery, "TSV")
		return err
	})
	wantCode(t, err, 159)
}

func TestPoolBoundsAndSeparatesInserts(t *testing.T) {
	pool := NewPool(engine, PoolOptions{Readers: 1, Wait: 20 * time.Millisecond})
	err := pool.Read(t.Context(), nil, func(*Conn) error {
		busy := pool.Read(t.Context(), nil, func(*Conn) error { return nil })
		if !errors.Is(busy, ErrBusy) {
			t.Errorf("unexpected second read: %v; want ErrBusy", busy)
		}
		return pool.Insert(t.Context(), nil, func(c *Conn) error {
			_, err := c.Query(t.Context(), "SELECT 1", "Null")
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestManyAtOnce(t *testing.T) {
	mustQuery(t, connect(t), "CREATE OR REPLACE TABLE many (a UInt64) ENGINE = MergeTree ORDER BY a")
	pool := NewPool(engine, PoolOptions{Readers: 4})
	const callers, rounds = 8, 10
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for range rounds {
				err := pool.Insert(t.Context(), nil, func(c *Conn) error {
					_, err := c.Insert(t.Context(), "INSERT INTO many", "CSV", []byte("1\n2\n"))
					return err
				})
				err = errors.Join(err, pool.Read(t.Context(), nil, func(c *Conn) error {
					_, err := c.Query(t.Context(), "SELECT sum(a), {i:UInt64} FROM many", "TSV", Param{
						"i",
						strconv.Itoa(i),
					})
					return err
				}))
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got, want := mustQuery(t, connect(t), "SELECT count() FROM many"), strconv.Itoa(callers*rounds*2); got != want {
		t.Fatalf("unexpected rows: %s; want %s", got, want)
	}
}

// TestGoKeepsItsSignalHandlers: with the engine's handlers, or none, this
// would end the process.
func TestGoKeepsItsSignalHandlers(t *testing.T) {
	connect(t)
	defer func() {
		if recover() == nil {
			t.Fatal("unexpected: no panic from a nil dereference")
		}
	}()
	var engines []*Engine
	engines = append(engines, nil)
	_ = engines[0].dir
}

func TestWrongLibraryAndSecondDirectory(t *testing.T) {
	_, err := Open("/nonexistent/libchdb.so", t.TempDir(), "")
	if err == nil || !strings.Contains(err.Error(), "clickhoused fetch") {
		t.Fatalf("unexpected error without a library: %v", err)
	}
	fetcher, err := enginefetch.New(os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := Open(fetcher.Target(), t.TempDir(), ""); err == nil {
		_ = second.Close()
		t.Fatal("unexpected: a second data directory was opened in one process")
	}
}

func TestClosedConn(t *testing.T) {
	c := connect(t)
	c.Close()
	c.Close()
	if _, err := c.Query(t.Context(), "SELECT 1", "TSV"); !errors.Is(err, ErrClosed) {
		t.Fatalf("unexpected error on a closed connection: %v", err)
	}
}
