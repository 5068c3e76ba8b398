// Command nudge is the tool of those who write and operate campaigns: it checks
// and applies definitions, simulates them over recorded calls, replays calls
// through the API, and looks into a server or its data.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"

	"github.com/nudge-engine/nudge/internal/units"
	"github.com/nudge-engine/nudge/internal/version"
)

type cli struct {
	Version kong.VersionFlag `help:"Print the version, the commit and its date."`

	New      newCommand      `cmd:"" help:"Begin a campaign with a preset: a file with campaigns and their scenarios."`
	Events   eventsCommand   `cmd:"" help:"Show the usual names of events, what they carry, and samples."`
	Check    checkCommand    `cmd:"" help:"Check definition files: every error with file, line and column."`
	Schema   schemaCommand   `cmd:"" help:"Print the JSON Schema of definition files, for editors."`
	Simulate simulateCommand `cmd:"" help:"Run campaigns over recorded calls on a virtual clock."`
	Test     testCommand     `cmd:"" help:"Play the scenarios of a directory against its campaigns."`
	Apply    applyCommand    `cmd:"" help:"Put definitions in force on a server."`
	Rollback rollbackCommand `cmd:"" help:"Put an older version of a definition in force again."`
	List     listCommand     `cmd:"" help:"List the definitions in force on a server."`
	Status   statusCommand   `cmd:"" help:"Say how a campaign stands: status, chains, decisions of the last day, last errors."`
	Replay   replayCommand   `cmd:"" help:"Play recorded calls through the API."`
	Customer customerCommand `cmd:"" help:"Show a customer: profile, counters, chains, recent decisions."`
	Explain  explainCommand  `cmd:"" help:"Say why a customer was or was not sent something, rule by rule."`
	Trials   trialsCommand   `cmd:"" name:"experiments" help:"Show the experiments that look for a winner, and how they stand."`
	Erase    eraseCommand    `cmd:"" help:"Erase a customer everywhere, and say when each store has forgotten them."`
	Key      keyCommand      `cmd:"" help:"Print a key that the server made at its first start."`
	Verify   verifyCommand   `cmd:"" help:"Replay a stopped server's log and compare it with its state."`
	Recover  recoverCommand  `cmd:"" help:"Bring partitions back that halted because their log lost messages."`
	Demo     demoCommand     `cmd:"" help:"Start a server, play the example shop through it, show what came of it."`
}

// console is what every command gets.
type console struct {
	out io.Writer
	err io.Writer
}

func main() { os.Exit(run(os.Args[1:], console{out: os.Stdout, err: os.Stderr})) }

func run(args []string, c console) int {
	status := 0
	exited := false
	parser, err := kong.New(&cli{}, kong.Name("nudge"), kong.Vars{"version": "nudge " + version.String()},
		kong.Description(
			"nudge writes, checks, tests and applies trigger campaigns. To begin, with a server running beside:\n\n"+
				"  nudge new my-carts --preset cart-abandoned   (a campaign of yours in ./campaigns)\n"+
				"  nudge test                                   (plays its scenarios)\n"+
				"  nudge apply                                  (puts it in force)\n"+
				"  nudge status my-carts                        (how it goes)\n\n"+
				"nudge COMMAND --help explains a command, with examples."),
		units.Durations(), kong.UsageOnError(),
		kong.Writers(c.out, c.err), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(code int) { status, exited = code, true }))
	if err != nil {
		fmt.Fprintln(c.err, "nudge:", err)
		return 2
	}
	ctx, err := parser.Parse(args)
	if exited {
		return status
	}
	if err != nil {
		parser.FatalIfErrorf(err)
		return 2
	}
	if err := ctx.Run(c); err != nil {
		fmt.Fprintln(c.err, "nudge:", err)
		return 1
	}
	return 0
}
