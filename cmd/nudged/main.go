// Command nudged is the server: it takes events over HTTP, runs the campaigns,
// sends, and writes what happened to ClickHouse. Alone it has everything inside:
// the log (nats-server), the store (Pebble) and ClickHouse as a child process.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/nudge-engine/nudge/internal/units"
	"github.com/nudge-engine/nudge/internal/version"
	"github.com/nudge-engine/nudge/server"
)

type cli struct {
	Version kong.VersionFlag `help:"Print the version, the commit and its date."`

	Run    runCommand    `cmd:"" default:"withargs" help:"Run the server (the default)."`
	Config configCommand `cmd:"" help:"Print the effective configuration, secrets left out."`
}

type runCommand struct {
	server.Settings `embed:""`
}

type configCommand struct {
	server.Settings `embed:""`
}

// streams are where the program writes.
type streams struct{ out, err io.Writer }

const description = `The nudge server. With no flags it keeps everything under ./data and listens on
127.0.0.1: events on 8080, administration on 8081, ClickHouse on 8123.

Every setting can be a flag, an environment variable, or a line of the YAML file
given with --config-file (name: the flag's, with underscores). A flag goes before
the environment, the environment before the file.

  nudged --campaigns-dir examples/shop
  curl -u KEY: http://127.0.0.1:8080/v1/track --json '{"userId":"u1","event":"Cart Updated"}'`

func main() { os.Exit(run(os.Args[1:], streams{os.Stdout, os.Stderr})) }

func run(args []string, s streams) int {
	code, exited := 0, false
	parser, err := kong.New(&cli{}, kong.Name("nudged"), kong.Vars{"version": "nudged " + version.String()},
		kong.Description(description), kong.Writers(s.out, s.err),
		kong.Resolvers(fileResolver(args)), units.Durations(), kong.Exit(func(c int) { code, exited = c, true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		fmt.Fprintln(s.err, "nudged:", err)
		return 2
	}
	ctx, err := parser.Parse(args)
	if exited {
		return code
	}
	if err == nil {
		err = ctx.Run(s)
	}
	if err != nil {
		fmt.Fprintln(s.err, "nudged:", err)
		return 1
	}
	return 0
}

func (c *configCommand) Run(s streams) error { return printSettings(s.out, &c.Settings) }

// collectPercent is how much the heap may grow before garbage is collected, in per cent
// of what is live. Go's default of 100 costs this server 2 of 15 us an event, 200 half of
// that, for at most half as much memory again.
const collectPercent = 200

// setGCPercent is for who has not said otherwise with GOGC. GOMEMLIMIT bounds the memory
// in either case.
func setGCPercent() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectPercent)
	}
}

// setGOMAXPROCS adds one processor for who has not said otherwise with GOMAXPROCS: a goroutine in an
// fsync keeps a processor of Go's until the runtime notices, which is half of all the time
// here on two cores, while the core itself is free.
func setGOMAXPROCS() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
}

func (c *runCommand) Run(s streams) error {
	if err := c.Validate(); err != nil {
		return err
	}
	filter := c.Filter()
	return filter.Error(c.serve(streams{out: filter.Writer(s.out), err: filter.Writer(s.err)}))
}

// serve runs the server until it is asked to stop.
func (c *runCommand) serve(s streams) error {
	privateFiles()
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return fmt.Errorf("log level %q: use debug, info, warn or error", c.LogLevel)
	}
	setGCPercent()
	setGOMAXPROCS()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	node, err := server.Open(ctx, server.Config{
		Settings: c.Settings, Out: s.out,
		Logger: slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: level})),
	})
	if errors.Is(err, server.ErrInterrupted) {
		return nil
	}
	if err != nil {
		return err
	}
	err = node.Wait(ctx)
	stop() // a second signal ends the process at once
	return errors.Join(err, node.Close())
}
