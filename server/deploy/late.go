package deploy

import (
	"context"
	"errors"
	"fmt"

	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
)

// askLate refuses to let paused campaigns go on that have overdue chains, unless their
// definitions say what becomes of those: only the author knows whether a message of last week
// should still be sent. The steps: find the campaigns that the documents resume, let a dry run
// count their overdue chains, and name each campaign that has some in one [*AuthorError].
func (d *Deployer) askLate(ctx context.Context, documents []program.Document, docs []parse.Parsed) error {
	before := map[string]*program.Program{}
	for _, p := range d.config.Catalog.Known().Campaigns {
		before[p.Name] = p
	}
	resumed := map[string]bool{}
	for i := range docs {
		if p := docs[i].Campaign; p != nil && p.Resumes(before[p.Name]) {
			resumed[p.Name] = true
		}
	}
	// The dry run below visits all customers; nearly all applies resume nothing and go
	// without.
	if len(resumed) == 0 {
		return nil
	}
	answer, err := d.preview(ctx, documents)
	if err != nil {
		return err
	}
	// All campaigns are named at once, each with its number of chains and the words that would
	// settle it.
	var errs []error
	for i := range answer.Campaigns {
		c := &answer.Campaigns[i]
		// A chain that would go on at once under the new version is one whose time has passed.
		overdue := 0
		for _, step := range c.Steps {
			overdue += step.AtOnce
		}
		if resumed[c.Campaign] && overdue > 0 {
			errs = append(errs, fmt.Errorf("campaign %q: %d chains are overdue since it stood still; write what "+
				"becomes of them: late: send (they go on, over a minute), late: skip (they go on without the message) "+
				"or late: exit (they end)", c.Campaign, overdue))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return &AuthorError{errors.Join(errs...)}
}
