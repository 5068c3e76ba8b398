package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/internal/definition"
	"github.com/nudge-engine/nudge/internal/simulate"
)

// testCommand is `nudge test`: scenarios played against their campaigns, without a server.
type testCommand struct {
	Path string `arg:"" optional:"" name:"path" help:"Directory (or file) with campaigns and scenarios; without: campaigns."`
	Only string `placeholder:"TEXT" help:"Only scenarios whose name holds this."`
}

func (t *testCommand) Help() string {
	return `Plays every Scenario of a directory against its campaigns, on a virtual clock, and
compares what was handed off with what the scenario expects.

Without a path it plays those of the current directory, or those in campaigns if there are
none.

Example:
  nudge test
  nudge test examples/shop`
}

// Run plays the scenarios one after the other and prints for each "ok" or "FAIL" with its
// name, and below a failure each expectation that did not hold. It fails when one does, or
// when there is none: a test that tests nothing should not pass.
func (t *testCommand) Run(out console) error {
	lang, err := expr.NewLanguage()
	if err != nil {
		return err
	}
	var given []string
	if t.Path != "" {
		given = []string{t.Path}
	}
	paths, err := pathsOr(given)
	if err != nil {
		return err
	}
	docs, err := load(lang, paths, definition.Options{Loose: true})
	if err != nil {
		fmt.Fprintln(out.err, err)
		return errors.New("the definitions have errors")
	}
	played, failed := 0, 0
	for i := range docs {
		sc := docs[i].Scenario
		// An empty text is in every name.
		if sc == nil || !strings.Contains(sc.Name, t.Only) {
			continue
		}
		played++
		// wrong are the expectations that did not hold; err is a scenario that could not be
		// played.
		wrong, err := simulate.RunScenario(lang, docs, sc)
		if err == nil && len(wrong) == 0 {
			fmt.Fprintf(out.out, "ok    %s\n", sc.Name)
			continue
		}
		failed++
		fmt.Fprintf(out.out, "FAIL  %s\n", sc.Name)
		if err != nil {
			fmt.Fprintf(out.out, "      %v\n", err)
		}
		for _, m := range wrong {
			fmt.Fprintf(out.out, "      %s\n", m)
		}
	}
	switch {
	case played == 0:
		return fmt.Errorf("no scenario in %s: add a document of kind Scenario", paths[0])
	case failed > 0:
		return fmt.Errorf("%d of %d scenarios failed", failed, played)
	}
	return nil
}
