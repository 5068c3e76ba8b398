package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// owner is what the user default says of itself in a URL.
const owner = "/?user=default&password=" + ownerPassword

// TestKillKeepsSyncedInserts: what was answered before a kill -9 is there
// after it. (That fsync is called at all is what the table's settings are for;
// a kill of the process alone cannot show it, so it is read back from them.)
func TestKillKeepsSyncedInserts(t *testing.T) {
	dir := t.TempDir()
	c := start(t, dir)
	addr := c.ready()
	mustAsk(t, addr, `CREATE TABLE kept (a UInt64) ENGINE = MergeTree ORDER BY a
		SETTINGS fsync_after_insert = 1, fsync_part_directory = 1,
			min_rows_to_fsync_after_merge = 1, non_replicated_deduplication_window = 100`)
	const blocks, rows = 20, 50
	for i := range blocks {
		mustAsk(t, addr, strings.Repeat(fmt.Sprintf("%d\n", i), rows), "query", "INSERT INTO kept FORMAT TSV",
			"insert_deduplication_token", strconv.Itoa(i))
	}
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.ended()

	addr = start(t, dir).ready()
	want := fmt.Sprintf("%d\t%d", blocks*rows, blocks)
	if got := mustAsk(t, addr, "SELECT count(), uniqExact(a) FROM kept"); got != want {
		t.Fatalf("unexpected rows after kill -9: %q; want %q", got, want)
	}
	// The window of tokens survives as well: a resend after a crash is no double.
	mustAsk(t, addr, "7\n", "query", "INSERT INTO kept FORMAT TSV", "insert_deduplication_token", "7")
	if got, want := mustAsk(t, addr, "SELECT count() FROM kept"), strconv.Itoa(blocks*rows); got != want {
		t.Fatalf("unexpected rows after a resend: %q; want %q", got, want)
	}
	made := mustAsk(t, addr, "SHOW CREATE TABLE kept FORMAT TSVRaw")
	if !strings.Contains(made, "fsync_after_insert = 1") {
		t.Fatalf("unexpected table without fsync_after_insert: %s", made)
	}
}

func TestEndOfStdinEndsTheProcess(t *testing.T) {
	c := start(t, t.TempDir())
	c.ready()
	if err := c.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.ended(); err != nil {
		t.Fatalf("unexpected end: %v; want exit 0", err)
	}
}

func TestSecondStartWaitsForTheLock(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir)
	mustAsk(t, first.ready(), "CREATE TABLE mine (a UInt8) ENGINE = MergeTree ORDER BY a")
	second := start(t, dir)
	second.await("waiting for the lock")
	if err := first.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := first.ended(); err != nil {
		t.Fatalf("unexpected end: %v; want exit 0", err)
	}
	if got := mustAsk(t, second.ready(), "EXISTS TABLE mine"); got != "1" {
		t.Fatalf("unexpected: the second process does not see the table (%s)", got)
	}
}

func TestLockWaitIsBounded(t *testing.T) {
	dir := t.TempDir()
	start(t, dir).ready()
	second := start(t, dir, "--lock-wait", "100ms")
	second.await("another clickhoused still has the data directory")
	if err := second.ended(); err == nil {
		t.Fatal("unexpected exit 0 without the lock")
	}
	// A parent that goes away while its child waits takes the child with it.
	third := start(t, dir)
	third.await("waiting for the lock")
	_ = third.stdin.Close()
	if err := third.ended(); err != nil {
		t.Fatalf("unexpected end: %v; want exit 0", err)
	}
}

// TestStopFinishesStatements: a statement that began before SIGTERM is
// answered.
func TestStopFinishesStatements(t *testing.T) {
	c := start(t, t.TempDir())
	addr := c.ready()
	answer := make(chan string, 1)
	go func() {
		res, err := http.Post("http://"+addr+owner, "", strings.NewReader("SELECT sleep(2), 'done'"))
		if err != nil {
			answer <- err.Error()
			return
		}
		defer func() { _ = res.Body.Close() }()
		text, _ := io.ReadAll(res.Body)
		answer <- string(text)
	}()
	until(t, addr, "SELECT count() FROM system.processes WHERE query LIKE 'SELECT sleep%'", "1")
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := <-answer; got != "0\tdone\n" {
		t.Fatalf("unexpected answer during the stop: %q", got)
	}
	if err := c.ended(); err != nil {
		t.Fatalf("unexpected end: %v; want exit 0", err)
	}
}

// TestStopKillsWhatTakesTooLong: the limit of a stop holds.
func TestStopKillsWhatTakesTooLong(t *testing.T) {
	c := start(t, t.TempDir(), "--drain-timeout", "100ms")
	addr := c.ready()
	go func() {
		res, err := http.Post("http://"+addr+owner, "", strings.NewReader(endlessQuery))
		if err == nil {
			_ = res.Body.Close()
		}
	}()
	until(t, addr, "SELECT count() FROM system.processes WHERE query LIKE 'SELECT count() FROM numbers%'", "1")
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	c.await("are killed")
	if err := c.ended(); err != nil {
		t.Fatalf("unexpected end: %v; want exit 0", err)
	}
}

// Every thread of the engine gives way, also those that it starts later. (As root the
// engine gives one of its own threads another priority.)
func TestNice(t *testing.T) {
	c := start(t, t.TempDir(), "--nice", "7")
	mustAsk(t, c.ready(), "SELECT sum(number) FROM numbers_mt(1000000)")
	dir := fmt.Sprintf("/proc/%d/task", c.cmd.Process.Pid)
	threads, err := os.ReadDir(dir)
	if err != nil || len(threads) < 5 {
		t.Fatalf("%d threads, error %v", len(threads), err)
	}
	for _, thread := range threads {
		text, err := os.ReadFile(filepath.Join(dir, thread.Name(), "stat"))
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ") // the name may hold anything
		const nice = 16                               // the 19th field of proc(5), after the first two
		if fields := strings.Fields(rest); len(fields) <= nice || fields[nice] == "0" {
			t.Errorf("thread %s has the usual priority; want 7", thread.Name())
		}
	}
}
