package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"text/tabwriter"

	"github.com/nudge-engine/nudge/internal/definition"
)

// applyCommand is `nudge apply`: it puts definitions in force. Files are read here and sent as
// text: the server checks them against what is in force there, which this tool does not know.
type applyCommand struct {
	adminAddress `embed:""`
	DryRun       bool `help:"Say what would happen to whom, and change nothing."`
	Backfill     bool `help:"Count in the retained log first what the definitions newly ask for."`
	// Paths are files or directories; none means the usual directory, see pathsOr.
	Paths []string `arg:"" optional:"" name:"path" help:"Files, or directories with .yaml, .yml and .json files; without: campaigns."`
}

func (a *applyCommand) Help() string {
	return `Checks the definitions and puts them in force. A document that changed gets the
next version; what did not change is left alone, so applying twice is harmless.
It returns when every partition has the definitions.

With --dry-run nothing changes. It says how many chains wait in which step of a campaign
that would change and what would happen to them, how many customers who are already
there would enter, what would begin to be counted, and the warnings of nudge check.

With --backfill the server first counts in its log, as far back as that is kept, what the
definitions newly ask for; they are in force when that is done. Count triggers then fire
for the customers whose whole history the log has.

Without a path it applies the definitions in the current directory, or those in campaigns
if there are none.

Example:
  nudge apply --dry-run
  nudge apply
  nudge apply campaigns/spring-carts.yaml campaigns/workspace.yaml`
}

// Run applies, or with --dry-run or --backfill does what these say, and prints a line for each
// document.
func (a *applyCommand) Run(out console) error {
	paths, err := pathsOr(a.Paths)
	if err != nil {
		return err
	}
	body, err := filesOf(paths)
	if err != nil {
		return err
	}
	// A dry run counts, for each new counter, how many customers a backfill would reach.
	if a.DryRun && a.Backfill {
		return errors.New("--dry-run says what --backfill would know too: leave --backfill out")
	}
	if a.DryRun {
		text, err := a.call(http.MethodPost, "/v1/definitions?dry_run=true", body)
		if err != nil {
			return err
		}
		return showPreview(out, text)
	}
	if a.Backfill {
		return a.backfill(out, body)
	}
	text, err := a.call(http.MethodPost, "/v1/definitions", body)
	if err != nil {
		return err
	}
	// The parts of the server's answer that are shown; server/admin/definitions.go writes it.
	var answer struct {
		Applied []struct {
			Kind    string `json:"kind"`
			Name    string `json:"name"`
			Version uint32 `json:"version"`
			Changed bool   `json:"changed"`
		} `json:"applied"`
		FromNow []string `json:"from_now"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	changed := 0
	for _, d := range answer.Applied {
		state := "unchanged"
		// A document whose text is the same keeps its version, so that applying twice is
		// harmless.
		if d.Changed {
			state = "applied"
			changed++
		}
		fmt.Fprintf(out.out, "%s %s: %s, version %d\n", d.Kind, d.Name, state, d.Version)
	}
	fmt.Fprintf(out.out, "%s: %d of %d documents changed; all are in force at %s\n", strings.Join(paths, ", "), changed,
		len(answer.Applied), a.url())
	// A counter that begins now knows nothing of the past, which surprises authors, so each is
	// named.
	for _, c := range answer.FromNow {
		fmt.Fprintf(out.out, "counted from now on: %s (nudge apply --backfill would have counted the log first)\n", c)
	}
	return nil
}

// fileBody is a definition file as the server takes it; Name is for its error messages.
type fileBody struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// filesBody is the body of the requests that send definition files.
type filesBody struct {
	Files []fileBody `json:"files"`
}

// filesOf reads the definition files at paths, each a file or a directory.
func filesOf(paths []string) (filesBody, error) {
	var body filesBody
	for _, path := range paths {
		files, err := definition.Read(path)
		if err != nil {
			return body, err
		}
		for _, f := range files {
			body.Files = append(body.Files, fileBody{f.Name, string(f.Text)})
		}
	}
	return body, nil
}

// listCommand is `nudge list`: the definitions in force, with their versions.
type listCommand struct {
	adminAddress `embed:""`
}

// Run prints them as a table.
func (l *listCommand) Run(out console) error {
	text, err := l.call(http.MethodGet, "/v1/definitions", nil)
	if err != nil {
		return err
	}
	// Source, the text of each document, is left out.
	var all []struct {
		Kind    string `json:"kind"`
		Name    string `json:"name"`
		Version uint32 `json:"version"`
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	w := tabwriter.NewWriter(out.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "kind\tname\tversion")
	for _, d := range all {
		fmt.Fprintf(w, "%s\t%s\t%d\n", d.Kind, d.Name, d.Version)
	}
	return w.Flush()
}
