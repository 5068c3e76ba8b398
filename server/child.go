package server

import (
	"context"

	"github.com/nudge-engine/nudge/internal/secret"
	"github.com/nudge-engine/nudge/server/child"
)

// startChild starts the embedded ClickHouse, unless the settings name another one. It runs in
// a process of its own, so that a crash of its native code or a query that takes all memory
// does not end the engine.
func (n *Node) startChild(ctx context.Context) (err error) {
	if n.settings.ClickhouseURL != "" {
		return nil
	}
	n.child, err = child.Start(ctx, child.Config{
		Program: n.settings.Clickhoused, Dir: n.settings.path("clickhouse"), Listen: n.settings.ClickhouseListen,
		AllowedHosts: n.settings.AllowedHosts, ReaderPassword: n.keys.reader, Logger: n.log,
	})
	return err
}

// clickhouseURL returns where ClickHouse is reached, for logs and for one by URL. The secret
// of the embedded one is not in it.
func (n *Node) clickhouseURL() secret.URL {
	if n.settings.ClickhouseURL != "" {
		return n.settings.ClickhouseURL
	}
	return secret.URL("http://" + n.child.Address())
}
