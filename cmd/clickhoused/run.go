package main

import (
	"context"
	"strings"

	"github.com/nudge-engine/nudge/internal/chdb"
)

// run executes the request on a lent connection.
func (g *gateway) run(ctx context.Context, req *request) (result chdb.Result, err error) {
	lend, execute := g.pool.Read, g.query
	if req.carriesData {
		lend, execute = g.pool.Insert, g.insert
	}
	err = lend(ctx, req.settings, func(conn *chdb.Conn) error {
		if err := use(ctx, conn, req.database); err != nil {
			return err
		}
		result, err = execute(ctx, conn, req)
		return err
	})
	return result, err
}

// use makes database current. The connection has no other way to begin in one.
func use(ctx context.Context, conn *chdb.Conn, database string) error {
	if database == "" || database == "default" {
		return nil
	}
	quoted := "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(database) + "`"
	_, err := conn.Query(ctx, "USE "+quoted, "Null")
	return err
}

func (g *gateway) insert(ctx context.Context, conn *chdb.Conn, req *request) (chdb.Result, error) {
	return conn.Insert(ctx, req.sql, req.statement.format, req.data(), req.params...)
}

// query runs a single statement. The library would run any number of them one
// after the other, which on a read-only connection means `SET readonly = 0`
// first: so more than one is refused, and text that does not parse is run (for
// the engine's message) only if it cannot be more than one.
func (g *gateway) query(ctx context.Context, conn *chdb.Conn, req *request) (chdb.Result, error) {
	sql := strings.TrimRight(req.sql, "; \t\r\n")
	n, err := conn.Statements(sql)
	if err != nil {
		return chdb.Result{}, err
	}
	if n > 1 || (n == 0 && strings.Contains(sql, ";")) {
		return chdb.Result{}, errMultiStatement()
	}
	return conn.Query(ctx, sql, req.format, req.params...)
}
