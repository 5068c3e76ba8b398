package server

import (
	"context"

	"github.com/nudge-engine/nudge/internal/secret"
	"github.com/nudge-engine/nudge/server/child"
)

// startChild starts the embedded ClickHouse unless one elsewhere is configured.
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

func (n *Node) clickhouseURL() secret.URL {
	if n.settings.ClickhouseURL != "" {
		return n.settings.ClickhouseURL
	}
	return secret.URL("http://" + n.child.Address())
}
