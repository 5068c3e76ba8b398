// Command clickhoused is ClickHouse in a small box: the HTTP interface of ClickHouse in front
// of the engine as a library (libchdb.so).
//
//	curl, Grafana, DBeaver, clickhouse-go ──HTTP──> gateway ──> chdb.Pool ──> libchdb.so ──> data directory
//
//	main.go serve.go fetch.go   the commands; help.go what --help says
//	gateway.go                  one HTTP request, from bytes to bytes
//	access.go secrets.go        who may log in, and what a role may do
//	challenge.go                the proof that this is nudged's child
//	policy.go settings.go       what grants cannot say: functions, tables, settings
//	request.go body.go          what was asked
//	encoding.go blocks.go       compression on the way in and out
//	session.go                  what the statements of one session_id share
//	statement.go lexer.go       where an INSERT ends and its data begins
//	clauses.go                  FORMAT and SETTINGS at the end of a statement
//	run.go                      the statement on a lent connection
//	handshake.go                the first query of clickhouse-go
//	answer.go status.go         what is answered
//	lock.go                     one process per data directory
//
// nudged starts it as a child, so that a crash of the engine is not a crash of the stream
// processor. It can also serve alone, with an account of its own.
//
// The library brings no users, no network interface and no limits of its own choosing:
// everything that keeps a client within its rights is in this package, and the engine's own
// grants are the second line. Three things hold for every request: it has an account, its Host
// is one of this server's, and it is one statement that the account may run.
package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/nudge-engine/nudge/internal/units"
	"github.com/nudge-engine/nudge/internal/version"
)

const description = `The ClickHouse engine behind ClickHouse's HTTP interface.

It speaks what curl, Grafana, DBeaver, clickhouse-jdbc, clickhouse-connect, @clickhouse/client and
clickhouse-go (protocol HTTP) speak. A password is always needed; SQL reaches no files, no network
and no processes:

  head -c 24 /dev/urandom | base64 > ./ch.password
  clickhoused serve --data ./ch --password-file ./ch.password &
  alias ask='curl -H "X-ClickHouse-User: default" -H "X-ClickHouse-Key: $(cat ./ch.password)"'
  ask 'http://127.0.0.1:8123/?query=SELECT+version()'
  echo 'CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a' | ask --data-binary @- http://127.0.0.1:8123/
  printf '1\n2\n' | ask --data-binary @- 'http://127.0.0.1:8123/?query=INSERT+INTO+t+FORMAT+CSV'
  ask -g 'http://127.0.0.1:8123/?query=SELECT+sum(a)+FROM+t+WHERE+a>{min:UInt64}&param_min=1'

GET only reads. An insert is on disk when it is answered if its table says so:
  ENGINE = MergeTree ... SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`

// commands are the commands of the program.
type commands struct {
	Version kong.VersionFlag `help:"Print the version, the commit and its date."`

	Serve serveCommand `cmd:"" help:"${serve}"`
	Fetch fetchCommand `cmd:"" help:"${fetch}"`
}

// main runs a command until it is done or a signal asks it to stop. The exit code is 0 after
// an orderly end and 1 after a failure.
func main() {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	parsed := kong.Parse(&commands{},
		kong.Name("clickhoused"), kong.Vars{"version": "clickhoused " + version.String()},
		kong.Description(description), kong.UsageOnError(), units.Durations(), helpTexts(),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(log))
	if err := parsed.Run(); err != nil {
		log.Error("clickhoused stops", slog.Any("error", err))
		stop()
		os.Exit(1)
	}
}
