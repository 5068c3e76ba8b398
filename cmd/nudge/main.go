// Command nudge is the tool of those who write and operate campaigns: it checks and applies
// definitions, simulates them over recorded calls, replays calls through the API, and looks
// into a server or its data.
//
// Each file has one command, or what several commands share: client.go reaches the admin
// address of a server, dir.go finds the definitions, simulate_*.go are the parts of nudge
// simulate. A command is a struct: its tags are the flags (github.com/alecthomas/kong), Help
// is the text of `nudge help COMMAND`, and Run does the work. What is more than flags and
// printing lies in ops/ and internal/.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/nudge-engine/nudge/internal/units"
	"github.com/nudge-engine/nudge/internal/version"
)

// cli has all commands, in the groups and the order in which help lists them.
type cli struct {
	Version kong.VersionFlag `help:"Print the version, the commit and its date."`

	New      newCommand      `cmd:"" group:"write" help:"Begin a campaign with a preset, with its scenarios."`
	Events   eventsCommand   `cmd:"" group:"write" help:"Show the usual names of events, and samples."`
	Check    checkCommand    `cmd:"" group:"write" help:"Check definitions: every error with its place."`
	Test     testCommand     `cmd:"" group:"write" help:"Play scenarios against their campaigns."`
	Simulate simulateCommand `cmd:"" group:"write" help:"Run campaigns over recorded calls."`
	Schema   schemaCommand   `cmd:"" group:"write" help:"Print the JSON Schema of definitions, for editors."`

	Apply    applyCommand    `cmd:"" group:"force" help:"Put definitions in force on a server."`
	Rollback rollbackCommand `cmd:"" group:"force" help:"Put an older version in force again."`
	List     listCommand     `cmd:"" group:"force" help:"List the definitions in force."`
	Status   statusCommand   `cmd:"" group:"force" help:"Say how a campaign stands."`
	Trials   trialsCommand   `cmd:"" group:"force" name:"experiments" help:"Show experiments that look for a winner."`

	Customer customerCommand `cmd:"" group:"customers" help:"Show a customer: profile, chains, decisions."`
	Explain  explainCommand  `cmd:"" group:"customers" help:"Say why a customer was or was not sent something."`
	Erase    eraseCommand    `cmd:"" group:"customers" help:"Erase a customer everywhere."`

	Demo    demoCommand    `cmd:"" group:"server" help:"Start a server and play the example shop through it."`
	Key     keyCommand     `cmd:"" group:"server" help:"Print a key that the server made."`
	Replay  replayCommand  `cmd:"" group:"server" help:"Play recorded calls through the API."`
	Verify  verifyCommand  `cmd:"" group:"server" help:"Compare a stopped server's log with its state."`
	Recover recoverCommand `cmd:"" group:"server" help:"Bring halted partitions back."`

	Help  helpCommand    `cmd:"" group:"tool" help:"List the commands, or explain one."`
	About versionCommand `cmd:"" group:"tool" name:"version" help:"Print the version."`
}

// console is what every command gets: where it writes, so that tests can read it, and how it
// was called.
type console struct {
	// out gets results, and err messages about the run: a pipe should get results only.
	out io.Writer
	err io.Writer
	// name is how the tool was called, as bin/nudge; empty for nudge.
	name string
}

// self returns how the tool is called in commands that are shown, so that they can be copied
// into a shell.
func (c console) self() string {
	if c.name == "" || strings.ContainsAny(c.name, " \t") {
		return "nudge"
	}
	return c.name
}

func main() { os.Exit(run(os.Args[1:], console{out: os.Stdout, err: os.Stderr, name: os.Args[0]})) }

// told is the exit code of a failure that was printed already, as an error.
type told int

// Error names the exit code; nobody prints it.
func (t told) Error() string { return fmt.Sprintf("exit code %d", int(t)) }

// run runs a command and returns the exit code: 0 is success, 1 a failure, 2 a command that
// cannot be understood. Without arguments it prints an overview.
func run(args []string, c console) int {
	c.out, c.err = forTerminal(c.out), forTerminal(c.err)
	status := 0
	exited := false
	parser, err := kong.New(&cli{}, kong.Name("nudge"), kong.Vars{"version": "nudge " + version.String()},
		kong.Description("nudge writes, checks, tests and applies trigger campaigns. `nudge help COMMAND` explains a "+
			"command, with examples. To begin, with a server running beside:\n\n"+beginning("nudge", "my-carts")),
		units.Durations(), kong.ExplicitGroups(groups()),
		kong.Writers(c.out, c.err), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(code int) { status, exited = code, true }))
	if err != nil {
		fmt.Fprintln(c.err, "nudge:", err)
		return 2
	}
	if len(args) == 0 {
		overview(parser.Model, c.out, c.self())
		return 0
	}
	ctx, err := parser.Parse(args)
	// kong wanted to end the process, after --help or --version.
	if exited {
		return status
	}
	if err != nil {
		fmt.Fprintf(c.err, "nudge: %v\nsee \"%s\"\n", err, helpFor(c, err))
		return 2
	}
	err = ctx.Run(c)
	var code told
	switch {
	case errors.As(err, &code):
		return int(code)
	case err != nil:
		fmt.Fprintln(c.err, "nudge:", err)
		return 1
	}
	return 0
}

// helpFor returns the command that explains what could not be parsed.
func helpFor(c console, err error) string {
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context.Selected() != nil {
		return c.self() + " help " + parse.Context.Selected().Name
	}
	return c.self() + " help"
}
