package main

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// rollbackCommand is `nudge rollback`. The server keeps all versions, so it needs no file.
type rollbackCommand struct {
	adminAddress `embed:""`
	Name         string `arg:"" help:"Name of the campaign."`
	To           uint32 `placeholder:"N" help:"Version to go back to; default: the one before that in force."`
	Kind         string `default:"Campaign" help:"Campaign, Policy, Template or Channel."`
	DryRun       bool   `help:"Say what would happen to whom, and change nothing."`
}

func (r *rollbackCommand) Help() string {
	return `Puts an older version in force again, as a new version: what it says of live chains
(in_flight) holds as for any other. Your files stay as they are; the next nudge apply of
them puts their version in force again.

Example:
  nudge rollback --dry-run spring-carts
  nudge rollback spring-carts --to 3`
}

// Run puts the older version in force, or with --dry-run says what that would do. To 0 means
// the version before that in force. For each document it prints a line such as "Campaign
// spring-carts: version 2 is in force again, as version 4".
func (r *rollbackCommand) Run(out console) error {
	text, err := r.call(http.MethodPost, "/v1/rollback", map[string]any{
		"kind": r.Kind, "name": r.Name, "version": r.To, "dry_run": r.DryRun,
	})
	if err != nil {
		return err
	}
	if r.DryRun {
		return showPreview(out, text)
	}
	var answer struct {
		Applied []previewedDocument `json:"applied"`
		From    uint32              `json:"from"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	for _, d := range answer.Applied {
		// The older version may be the same text as the one in force.
		if !d.Changed {
			fmt.Fprintf(out.out, "%s %s: version %d says the same as version %d, nothing changed\n", d.Kind, d.Name,
				answer.From, d.Version)
			continue
		}
		fmt.Fprintf(out.out, "%s %s: version %d is in force again, as version %d\n", d.Kind, d.Name, answer.From,
			d.Version)
	}
	return nil
}
