package main

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nudge-engine/nudge/internal/chdb"
)

// What statements leave in a session is there for the next one of the same session and
// account, and for no other.
func TestSessions(t *testing.T) {
	addr, _ := withTables(t)
	in := []string{"session_id", "one"}
	mustAsk(t, addr, "CREATE TEMPORARY TABLE kept (a UInt8)", in...)
	mustAsk(t, addr, "INSERT INTO kept VALUES (7)", in...)
	mustAsk(t, addr, "8\n", append(in, "query", "INSERT INTO kept FORMAT TSV")...)
	if got := mustAsk(t, addr, "SELECT sum(a) FROM kept", append(in, "max_threads", "1")...); got != "15" {
		t.Errorf("unexpected sum %s; want 15", got)
	}
	mustAsk(t, addr, "USE nudge", in...)
	mustAsk(t, addr, "SET max_block_size = 77", in...)
	const state = "SELECT currentDatabase(), getSetting('max_block_size')"
	if got := mustAsk(t, addr, state, in...); got != "nudge\t77" {
		t.Errorf("unexpected state %q", got)
	}
	if got := mustAsk(t, addr, state); got == "nudge\t77" {
		t.Errorf("unexpected state without a session: %q", got)
	}
	f := func(want string, sql string, params ...string) {
		t.Helper()
		res, text := ask(t, addr, sql, params...)
		if got := res.Header.Get("X-ClickHouse-Exception-Code"); got != want {
			t.Errorf("%s %v: unexpected code %q, %s; want %q", sql, params, got, text, want)
		}
	}
	f("60", "SELECT * FROM kept")
	f("60", "SELECT * FROM kept", "session_id", "two")
	f("372", "SELECT 1", "session_id", "three", "session_check", "1")
	f("374", "SELECT 1", "session_id", "three", "session_timeout", "1000000")
	f("497", "SET ROLE ALL", in...)
	if res, text := send(t, http.MethodGet, addr, "", "session_id", "one", "query", "INSERT INTO kept SELECT 1"); res.
		Header.Get("X-ClickHouse-Exception-Code") != "164" {
		t.Errorf("unexpected answer to a GET that writes: %s %s", res.Status, text)
	}
	f("", "SELECT 1", append(in, "close_session", "1")...)
	f("60", "SELECT * FROM kept", in...)

	// A reader's session has settings and a database; another's of the same name is not its.
	for _, sql := range []string{"USE nudge", "SET max_block_size = 55, output_format_json_quote_64bit_integers = 1"} {
		if res, text := read(t, addr, sql, in...); res.StatusCode != http.StatusOK {
			t.Errorf("%s: unexpected %s %s", sql, res.Status, text)
		}
	}
	if _, text := read(t, addr, state, in...); text != "nudge\t55\n" {
		t.Errorf("unexpected state of the reader: %q", text)
	}
	if res, text := read(t, addr, "SET max_execution_time = 0", in...); res.StatusCode != http.StatusForbidden {
		t.Errorf("unexpected answer: %s %s", res.Status, text)
	}
}

// Sessions are bounded in number, and end when they are not used.
func TestSessionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSessions()
		begin := func() (*chdb.Conn, error) { return nil, nil } //nolint:nilnil // as a reader's
		asked := func(id string) sessionAsked { return sessionAsked{id: id, timeout: time.Second} }
		for i := range maxSessions {
			id := asked(string(rune('a' + i)))
			in, err := s.take("reader", id, begin)
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				if _, err := s.take("reader", id, begin); err == nil {
					t.Error("two statements run in one session")
				}
			}
			s.give("reader", id, in)
		}
		if _, err := s.take("reader", asked("more"), begin); err == nil {
			t.Errorf("more than %d sessions are open", maxSessions)
		}
		time.Sleep(2 * time.Second)
		if _, err := s.take("reader", asked("more"), begin); err != nil {
			t.Errorf("old sessions do not end: %v", err)
		}
		if len(s.open) != 1 {
			t.Errorf("%d sessions are open; want 1", len(s.open))
		}
	})
}
