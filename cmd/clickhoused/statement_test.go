package main

import (
	"errors"
	"testing"

	"github.com/nudge-engine/nudge/internal/chdb"
)

func TestParseStatement(t *testing.T) {
	f := func(text string, want statement) {
		t.Helper()
		got, err := parseStatement(text)
		if err != nil || got != want {
			t.Fatalf("unexpected parts of %q:\n%+v, %v; want\n%+v", text, got, err, want)
		}
	}
	insert := func(sql, format, inline string) statement {
		return statement{sql: sql, format: format, carriesData: true, inline: inline}
	}
	f("SELECT 1", statement{sql: "SELECT 1"})
	f("SELECT 'FORMAT x' -- FORMAT y", statement{sql: "SELECT 'FORMAT x' -- FORMAT y"})
	f("SELECT format FROM (SELECT 1 FORMAT a) FORMAT JSON", statement{sql: "SELECT format FROM (SELECT 1 FORMAT a) " +
		"FORMAT JSON", format: "JSON"})
	f("insert into t format Native\n\x01\x00", insert("insert into t ", "Native", "\x01\x00"))
	f("INSERT INTO t FORMAT CSV \r\n\r\n1", insert("INSERT INTO t ", "CSV", "\r\n1"))
	f("INSERT INTO t FORMAT Native", insert("INSERT INTO t ", "Native", ""))
	f("INSERT INTO `for mat` (format, `values`) VALUES (1)", insert("INSERT INTO `for mat` (format, `values`) ",
		"Values", " (1)"))
	f("INSERT INTO TABLE values.format SETTINGS a = 'FORMAT' FORMAT TSV\nx",
		insert("INSERT INTO TABLE values.format SETTINGS a = 'FORMAT' ", "TSV", "x"))
	f("INSERT INTO t SELECT 1 FORMAT Null", statement{sql: "INSERT INTO t SELECT 1 FORMAT Null", format: "Null"})
	f("/* INSERT /* INTO */ */ # hm\n $a$ ; $a$ 'it\\'s' \"", statement{sql: "/* INSERT /* INTO */ */ # hm\n $a$ ; " +
		"$a$ 'it\\'s' \""})
}

func TestParseStatementRefuses(t *testing.T) {
	f := func(text string, code int) {
		t.Helper()
		_, err := parseStatement(text)
		var e *chdb.Exception
		if !errors.As(err, &e) || e.Code != code {
			t.Fatalf("unexpected answer to %q: %v; want code %d", text, err, code)
		}
	}
	f(" -- nothing", 62)
	f("INSERT INTO t", 62)
	f("INSERT INTO t; DROP TABLE t FORMAT CSV", 62)
	f("SELECT 1 INTO /* x */ OUTFILE 'a'", 358)
	f("INSERT INTO t FROM INFILE 'a' FORMAT CSV", 344)
}

// FuzzParseStatement: whatever comes over HTTP, the lexer ends, and the parts
// are parts of the text.
func FuzzParseStatement(f *testing.F) {
	for _, seed := range []string{
		"INSERT INTO t FORMAT CSV\n1", "SELECT $a$", "/*", "'\\",
		"INSERT INTO t (a) VALUES (", "$$",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		st, err := parseStatement(text)
		if err == nil && len(st.sql)+len(st.inline) > len(text) {
			t.Fatalf("unexpected parts of %q: %+v", text, st)
		}
	})
}

func TestIsHello(t *testing.T) {
	f := func(sql, protocol, format string, want bool) {
		t.Helper()
		req := &request{statement: statement{sql: sql}, protocol: protocol, format: format}
		if got := isHello(req); got != want {
			t.Fatalf("unexpected isHello(%q, %q, %q): %v", sql, protocol, format, got)
		}
	}
	const asked = "SELECT displayName(), version(), revision(), timezone()"
	f(asked, "54460", "Native", true)
	f(" select displayName(),\nversion(), revision(),  timezone() ; ", "54460", "Native", true)
	f(asked, "", "Native", false)    // typed by somebody
	f(asked, "54460", "JSON", false) // another framing
	f(asked+", 1", "54460", "Native", false)
}
