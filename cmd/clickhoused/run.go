package main

import (
	"context"
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/internal/chdb"
)

// run executes the request for an account, in its session if it names one.
func (g *gateway) run(ctx context.Context, who *account, req *request) (chdb.Result, error) {
	if req.session.id == "" {
		return g.runIn(ctx, who, req, nil)
	}
	in, err := g.sessions.take(who.user, req.session, func() (*chdb.Conn, error) {
		// A reader's session is a list of settings, and needs no connection of its own.
		if who.role == roleReader {
			return nil, nil //nolint:nilnil // a reader's session needs none
		}
		return who.pool.Open(ctx)
	})
	if err != nil {
		return chdb.Result{}, err
	}
	defer g.sessions.give(who.user, req.session, in)
	return g.runIn(ctx, who, req, in)
}

// runIn executes the request in a session, or in none (nil). The read-only account goes to
// method read. For others it borrows a connection of the right kind: one for inserts, of which
// there is one at a time, or one of several for the rest. In a session the borrowed connection
// only holds the place, so that the limit on statements at once holds, and the session's own
// connection does the work.
func (g *gateway) runIn(ctx context.Context, who *account, req *request, in *session) (chdb.Result, error) {
	if who.role == roleReader {
		return g.read(ctx, who, req, in)
	}
	var result chdb.Result
	lend, execute := who.pool.Read, g.query
	// Inserts have a connection of their own, so that they never wait for people's queries.
	if req.carriesData {
		lend, execute = who.pool.Insert, g.insert
	}
	err := lend(ctx, req.settings, func(conn *chdb.Conn) (err error) {
		// What the statement itself says comes after what its session says, and wins.
		if in != nil {
			// A readonly could not be taken back; what it is for is checked instead.
			settings := slices.DeleteFunc(slices.Clone(req.settings), func(s chdb.Setting) bool {
				req.readOnly = req.readOnly || restricts(s)
				return s.Name == "readonly"
			})
			if req.readOnly && req.carriesData {
				return errReadOnly()
			}
			if err := in.conn.Set(ctx, settings); err != nil {
				return err
			}
			// The settings were for this statement; the next one of the session begins without
			// them.
			defer func() { err = in.conn.Reset(ctx, settings, err) }()
			conn = in.conn
		}
		if err := use(ctx, conn, req.database); err != nil {
			return err
		}
		result, err = execute(ctx, conn, who, req)
		return err
	})
	return result, err
}

// read executes what a reader asks. The engine's own readonly setting holds during the
// statement, and would refuse SETTINGS clauses; so these are taken off the text, checked, and
// applied before.
func (g *gateway) read(ctx context.Context, who *account, req *request, in *session) (chdb.Result, error) {
	if req.carriesData {
		return chdb.Result{}, denied(who.role, "insert; it only reads")
	}
	c := cutClauses(req.sql)
	settings, err := g.limits.allow(slices.Concat(req.settings, c.settings))
	if err != nil {
		return chdb.Result{}, err
	}
	database := req.database
	if in != nil {
		settings = slices.Concat(in.settings, settings)
		database = either(database, in.database)
	}
	// The last one wins, whatever the client has asked for.
	settings = append(settings, chdb.Setting{Name: "readonly", Value: "1"})
	var result chdb.Result
	err = who.pool.Read(ctx, settings, func(conn *chdb.Conn) error {
		if err := use(ctx, conn, database); err != nil {
			return err
		}
		if err := g.single(ctx, conn, who, c.text, req); err != nil {
			return err
		}
		if done, err := g.keep(ctx, conn, c.text, in); done || err != nil {
			return err
		}
		result, err = conn.Query(ctx, c.text, either(c.format, req.format), req.params...)
		return err
	})
	// The head of the answer names the format.
	req.statement.format = c.format
	return result, err
}

// keep applies SET and USE of a reader to its session. done reports that the statement was one
// of them and needs no more. Without a session they are checked and forgotten, as ClickHouse
// does.
func (g *gateway) keep(ctx context.Context, conn *chdb.Conn, sql string, in *session) (done bool, err error) {
	tokens := tokensOf(sql)
	switch {
	case isWord(sql, tokens[0], "SET"):
		asked, ok := assignments(sql, tokens[1:])
		if !ok {
			return true, exception(62, "SYNTAX_ERROR", "Syntax error: write SET name = value, ... with plain values")
		}
		got, err := g.limits.allow(asked)
		// Without a session nothing would remember them.
		if err != nil || in == nil {
			return true, err
		}
		return true, in.remember(got)
	case isWord(sql, tokens[0], "USE"):
		if _, err := conn.Query(ctx, sql, "Null"); err != nil || in == nil {
			return true, err
		}
		// The engine says what it made of the name, with its quotes and escapes.
		r, err := conn.Query(ctx, "SELECT currentDatabase()", "TabSeparatedRaw")
		if err == nil {
			in.database = strings.TrimSuffix(string(r.Data), "\n")
		}
		return true, err
	}
	return false, nil
}

// use makes database current on a connection, which the library cannot do when it opens one.
// The name is quoted: it comes from the client.
func use(ctx context.Context, conn *chdb.Conn, database string) error {
	if database == "" || database == "default" {
		return nil
	}
	quoted := "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(database) + "`"
	_, err := conn.Query(ctx, "USE "+quoted, "Null")
	return err
}

// insert runs an INSERT with its data. Its text is checked by tokens, because without the data
// there is no syntax tree to be had.
func (g *gateway) insert(ctx context.Context, conn *chdb.Conn, who *account, req *request) (chdb.Result, error) {
	data := req.data()
	if err := g.policy.calls(who.role, req.sql); err != nil {
		return chdb.Result{}, err
	}
	if strings.EqualFold(req.statement.format, "Values") { // its values may be expressions
		if err := g.policy.calls(who.role, string(data)); err != nil {
			return chdb.Result{}, err
		}
	}
	return conn.Insert(ctx, req.sql, req.statement.format, data, req.params...)
}

// query runs any other statement.
func (g *gateway) query(ctx context.Context, conn *chdb.Conn, who *account, req *request) (chdb.Result, error) {
	sql := strings.TrimRight(req.sql, "; \t\r\n")
	if err := g.single(ctx, conn, who, sql, req); err != nil {
		return chdb.Result{}, err
	}
	return conn.Query(ctx, sql, req.format, req.params...)
}

// single refuses everything but one statement that the account may run. The library would run
// any number of them one after the other, and on a read-only connection a first SET readonly =
// 0 would free the others.
func (g *gateway) single(ctx context.Context, conn *chdb.Conn, who *account, sql string, req *request) error {
	n, err := conn.Statements(sql)
	if err != nil {
		return err
	}
	if n > 1 || (n == 0 && strings.Contains(sql, ";")) {
		return errMultiStatement()
	}
	// The words are refused anywhere in the text: a test on tokens would have to know all
	// places at which the engine's grammar allows them.
	if lower := strings.ToLower(sql); strings.Contains(lower, "outfile") || strings.Contains(lower, "infile") {
		return exception(358, "INTO_OUTFILE_NOT_ALLOWED", "INTO OUTFILE and FROM INFILE are not allowed: the result "+
			"is in the response body, data comes in the request body (the statement must not hold the word at all; "+
			"put such a text into a parameter)")
	}
	kind, err := g.policy.check(ctx, conn, who.role, sql, req.params)
	if err != nil {
		return err
	}
	if req.readOnly && !slices.Contains(kinds[roleReader], kind) {
		return errReadOnly()
	}
	// The engine's parser finds no statement, although the checks above found nothing to
	// refuse.
	if n != 1 {
		return exception(62, "SYNTAX_ERROR", "Syntax error: "+head(sql))
	}
	return nil
}

// errReadOnly refuses what does not only read, with the engine's own code for that.
func errReadOnly() error {
	return exception(164, "READONLY", "Cannot execute query in readonly mode: GET only reads, use POST")
}
