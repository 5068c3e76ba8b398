package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/nudge-engine/nudge/internal/version"
)

// groups returns the titles under which commands are listed, in that order.
func groups() []kong.Group {
	return []kong.Group{
		{Key: "write", Title: "Write campaigns:"},
		{Key: "force", Title: "Put in force:"},
		{Key: "customers", Title: "Look at customers:"},
		{Key: "server", Title: "Run a server:"},
		{Key: "tool", Title: "This tool:"},
	}
}

// overview prints the names of all commands by group, and how to begin.
func overview(model *kong.Application, out io.Writer, self string) {
	fmt.Fprintf(out, "Usage: %s COMMAND [flags]\n\n", self)
	for _, g := range groups() {
		var names []string
		// Commands come in the order of the struct cli.
		for _, c := range model.Children {
			if c.Group != nil && c.Group.Key == g.Key {
				names = append(names, c.Name)
			}
		}
		fmt.Fprintf(out, "  %-19s %s\n", g.Title, strings.Join(names, ", "))
	}
	fmt.Fprintf(out, `
To begin, with a server running beside:

%s
%[2]s help lists the commands with a line for each; %[2]s help COMMAND explains one.
`, beginning(self, "my-carts"), self)
}

// beginning returns the commands with which a campaign is begun and put in force.
func beginning(self, name string) string {
	return fmt.Sprintf("  %[1]s new %[2]s --preset cart-abandoned\n", self, name) + next(self, name, "")
}

// next returns the commands that follow a new campaign, as the README has them; dir is an
// argument with a space before it, or empty.
func next(self, name, dir string) string {
	return fmt.Sprintf("  %[1]s check%[3]s\n  %[1]s test%[3]s\n  %[1]s apply%[3]s\n  %[1]s status %[2]s\n",
		self, name, dir)
}

// helpCommand is `nudge help`: another way to write --help.
type helpCommand struct {
	Command []string `arg:"" optional:"" help:"The command to explain; without: all."`
}

// Run prints the help of a command, or of all. The exit code is that of the inner run, which
// has printed its error already.
func (h *helpCommand) Run(c console) error {
	if code := run(append(h.Command, "--help"), c); code != 0 {
		return told(code)
	}
	return nil
}

// versionCommand is `nudge version`: another way to write --version.
type versionCommand struct{}

// Run prints the version.
func (v *versionCommand) Run(c console) error {
	_, err := fmt.Fprintln(c.out, "nudge", version.String())
	return err
}
