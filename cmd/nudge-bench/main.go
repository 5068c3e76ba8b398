// Command nudge-bench measures a nudge of its own: throughput against the bare pipe, latency
// at a fixed rate, the cost of many campaigns, memory of a customer, and more. It checks each
// run against what it sent before it shows a figure.
//
// This package has flags and printing only; package bench measures. commands.go has the
// scenarios that a reader of the README runs first, scenarios.go and peers.go the others,
// all.go runs them one after another. Each command is a struct whose tags are the flags, with
// Help for `nudge-bench COMMAND --help` and Run.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/nudge-engine/nudge/internal/units"
	"github.com/nudge-engine/nudge/internal/version"
)

// cli has the commands of the program.
type cli struct {
	Version kong.VersionFlag `help:"Print the version, the commit and its date."`

	Throughput throughputCommand `cmd:"" help:"Events a second up to the ClickHouse row, and as a share of the bare pipe."`
	Latency    latencyCommand    `cmd:"" help:"Time from accept to hand-off at a fixed rate."`
	Campaigns  campaignsCommand  `cmd:"" help:"What an event costs with few and with many active campaigns."`
	Customers  customersCommand  `cmd:"" help:"Bytes of a live customer with one chain and one timer."`
	Recovery   recoveryCommand   `cmd:"" help:"Seconds from a kill -9 until every record is applied."`
	Timers     timersCommand     `cmd:"" help:"How late timers fire when many are due at once."`
	Outage     outageCommand     `cmd:"" help:"What a stopped ClickHouse costs, and how long it takes to catch up."`
	Soak       soakCommand       `cmd:"" help:"A fixed rate for long: latency and memory over time."`
	Growth     growthCommand     `cmd:"" help:"What an event costs as customers, campaigns, chains and counters grow tenfold."`
	Limits     limitsCommand     `cmd:"" help:"What the pipe, the log, Pebble, ClickHouse and JSON can do alone."`
	Peers      peersCommand      `cmd:"" help:"The same chain with what one would build instead, and the ratio."`
	All        allCommand        `cmd:"" help:"All of it, shortly: a table, JSON, a page with plots."`
}

const description = `Measures nudge on this machine. It starts a nudged of its own on free ports, with
everything embedded and fsync on, below --dir, and removes it afterwards.

A run that lost or doubled an event or a delivery says so and ends with status 1:
its figures are none. Other work on the machine changes the figures: take the
median of three runs.

  make build && bin/clickhoused fetch
  bin/nudge-bench all
  bin/nudge-bench throughput --batch 100 --duration 10s --json throughput.json`

// console is where the program writes.
type console struct{ out, err io.Writer }

func main() { os.Exit(run(os.Args[1:], console{os.Stdout, os.Stderr})) }

// run runs a command and returns the exit code: 0 is success, 1 a run that failed or whose
// result is wrong, 2 a command that cannot be understood.
func run(args []string, c console) int {
	code, exited := 0, false
	// An interrupt ends the scenario, which then removes its server and its data.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	parser, err := kong.New(&cli{}, kong.Name("nudge-bench"), kong.Vars{"version": "nudge-bench " + version.String()},
		kong.Description(description), kong.Writers(c.out, c.err),
		kong.Exit(func(n int) { code, exited = n, true }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		units.Durations(), kong.BindTo(ctx, (*context.Context)(nil)))
	if err != nil {
		fmt.Fprintln(c.err, "nudge-bench:", err)
		return 2
	}
	parsed, err := parser.Parse(args)
	// kong wanted to end the process, after --help or --version.
	if exited {
		return code
	}
	if err != nil {
		fmt.Fprintln(c.err, "nudge-bench:", err)
		fmt.Fprintln(c.err, "run `nudge-bench --help`, or `nudge-bench COMMAND --help`")
		return 2
	}
	// Reports whose figures are wrong end here too.
	if err := parsed.Run(c); err != nil {
		fmt.Fprintln(c.err, "nudge-bench:", err)
		return 1
	}
	return 0
}
