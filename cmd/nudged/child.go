package main

import (
	"context"

	"github.com/nudge-engine/nudge/server/child"
)

// startChild starts the embedded ClickHouse unless one elsewhere is configured.
func (n *node) startChild(ctx context.Context) (err error) {
	if n.config.ClickhouseURL != "" {
		return nil
	}
	n.child, err = child.Start(ctx, child.Config{
		Program: n.config.Clickhoused, Dir: n.config.path("clickhouse"), Listen: n.config.ClickhouseListen,
		AllowedHosts: n.config.AllowedHosts, ReaderPassword: n.keys.reader, Logger: n.log,
	})
	return err
}
