package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/nudge-engine/nudge/ops/demo"
)

// demoCommand is `nudge demo`; package ops/demo says what it does.
type demoCommand struct {
	// Data had the flag --data before.
	Data string `name:"data-dir" aliases:"data" env:"NUDGE_DATA_DIR" default:"data" help:"Data directory of the server."`
	// Shop is an example of the repository; another directory of the same form does as well.
	Shop       string `default:"examples/shop" help:"Directory with campaigns and events.ndjson."`
	HTTP       string `name:"http" env:"NUDGE_HTTP_LISTEN" default:"127.0.0.1:8080" help:"Address for events."`
	Admin      string `env:"NUDGE_ADMIN_LISTEN" default:"127.0.0.1:8081" help:"Address for administration."`
	Clickhouse string `env:"NUDGE_CLICKHOUSE_LISTEN" default:"127.0.0.1:8123" help:"Address of the embedded ClickHouse."`
	Key        string `env:"NUDGE_WRITE_KEY" default:"nudge-demo-write-key" help:"Write key."`
	Once       bool   `help:"Stop after the funnel instead of serving on."`
}

// Run plays the demo until it ends or is interrupted.
func (d *demoCommand) Run(out console) error {
	// Ctrl-C ends the demo in an orderly way, with the server.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	played := &demo.Demo{
		Data: d.Data, Shop: d.Shop, HTTP: d.HTTP, Admin: d.Admin, Clickhouse: d.Clickhouse, Key: d.Key, Once: d.Once,
		Tool: out.self(), Out: raw(out.out), Err: raw(out.err), // the server writes to both without a pipe
	}
	return played.Run(ctx)
}
