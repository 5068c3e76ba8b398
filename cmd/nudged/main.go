// Command nudged is the server: it takes events over HTTP, runs the campaigns, sends, and
// writes what happened to ClickHouse. Alone it has everything inside: the log (nats-server),
// the store (Pebble) and ClickHouse as a child process.
//
// This package is the process around package server: flags, environment and file
// (settings.go), the Go runtime, signals and the exit code.
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

// cli has the commands of the program; run is meant when none is named.
type cli struct {
	Version kong.VersionFlag `help:"Print the version, the commit and its date."`

	Run    runCommand    `cmd:"" default:"withargs" help:"Run the server (the default)."`
	Config configCommand `cmd:"" help:"Print the effective configuration, secrets left out."`
}

// runCommand is `nudged`, and `nudged run`.
type runCommand struct {
	server.Settings `embed:""`
}

// configCommand is `nudged config`: it takes the same settings as run and only prints them.
type configCommand struct {
	server.Settings `embed:""`
}

// streams are where the program writes: results and the console channel to out, the log to
// err.
type streams struct{ out, err io.Writer }

const description = `The nudge server. With no flags it keeps everything under ./data and listens on
127.0.0.1: events on 8080, administration on 8081, ClickHouse on 8123.

Every setting can be a flag, an environment variable, or a line of the YAML file
given with --config-file (name: the flag's, with underscores). A flag goes before
the environment, the environment before the file.

  nudged --campaigns-dir examples/shop
  curl -u KEY: http://127.0.0.1:8080/v1/track --json '{"userId":"u1","event":"Cart Updated"}'`

func main() { os.Exit(run(os.Args[1:], streams{os.Stdout, os.Stderr})) }

// run runs a command and returns the exit code: 0 after an orderly end, 1 after a failure, 2
// when the program itself is wrong.
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
	// kong wanted to end the process, after --help or --version.
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

// Run prints the settings that a server would have.
func (c *configCommand) Run(s streams) error { return printSettings(s.out, &c.Settings) }

// collectPercent is how much the heap may grow before garbage is collected, in per cent of
// what is live. Go's default of 100 costs this server 2 of 15 us an event, 200 half of that,
// for at most half as much memory again.
const collectPercent = 200

// setGCPercent sets collectPercent unless GOGC is set. GOMEMLIMIT bounds the memory in either
// case.
func setGCPercent() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectPercent)
	}
}

// setGOMAXPROCS gives Go one processor more than it would use by itself, unless GOMAXPROCS is
// set. A goroutine in an fsync keeps a processor of Go's until the runtime notices, which is
// half of all the time here on two cores, while the core itself is free.
func setGOMAXPROCS() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
}

// Run checks the settings and runs the server. Secrets are removed from everything that is
// printed, whatever part prints it.
func (c *runCommand) Run(s streams) error {
	if err := c.Validate(); err != nil {
		return err
	}
	filter := c.Filter()
	return filter.Error(c.serve(streams{out: filter.Writer(s.out), err: filter.Writer(s.err)}))
}

// serve runs the server until SIGTERM or an interrupt, or until a part fails. A signal during
// the start ends it without an error.
func (c *runCommand) serve(s streams) error {
	// Before anything is written: customers and keys are in the files.
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
	// A stop during the start is an orderly end.
	if errors.Is(err, server.ErrInterrupted) {
		return nil
	}
	if err != nil {
		return err
	}
	err = node.Wait(ctx)
	// A second signal then has its usual effect and ends the process at once.
	stop()
	return errors.Join(err, node.Close())
}
