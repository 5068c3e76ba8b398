// Command clickhoused is ClickHouse in a small box: the HTTP interface of
// ClickHouse in front of the engine as a library (libchdb.so).
//
//	curl, Grafana, DBeaver, clickhouse-go ──HTTP──> gateway ──> chdb.Pool ──> libchdb.so ──> data directory
//
//	main.go serve.go fetch.go   the commands; help.go what --help says
//	gateway.go                  one HTTP request, from bytes to bytes
//	request.go body.go auth.go  what was asked, by whom
//	statement.go lexer.go       where an INSERT ends and its data begins
//	run.go                      the statement on a lent connection
//	handshake.go                the first query of clickhouse-go
//	answer.go status.go         what is answered
//	lock.go                     one process per data directory
//
// nudged starts it as a child, so that a crash of the engine is not a crash of
// the stream processor.
package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

const description = `The ClickHouse engine behind ClickHouse's HTTP interface.

It speaks what curl, Grafana, DBeaver and clickhouse-go (protocol HTTP, compression none) speak:

  clickhoused serve --data ./ch &
  curl 'http://127.0.0.1:8123/?query=SELECT+version()'
  echo 'CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a' | curl --data-binary @- http://127.0.0.1:8123/
  printf '1\n2\n' | curl --data-binary @- 'http://127.0.0.1:8123/?query=INSERT+INTO+t+FORMAT+CSV'
  curl -g 'http://127.0.0.1:8123/?query=SELECT+sum(a)+FROM+t+WHERE+a>{min:UInt64}&param_min=1'

GET only reads. An insert is on disk when it is answered if its table says so:
  ENGINE = MergeTree ... SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`

type commands struct {
	Serve serveCommand `cmd:"" help:"${serve}"`
	Fetch fetchCommand `cmd:"" help:"${fetch}"`
}

func main() {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	parsed := kong.Parse(&commands{},
		kong.Name("clickhoused"), kong.Description(description), kong.UsageOnError(), helpTexts(),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(log))
	if err := parsed.Run(); err != nil {
		log.Error("clickhoused stops", slog.Any("error", err))
		stop()
		os.Exit(1)
	}
}
