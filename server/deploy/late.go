package deploy

import (
	"context"
	"errors"
	"fmt"

	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
)

// askLate refuses to let campaigns go on that stood still and have chains which are overdue,
// unless their definitions say what becomes of those: it is for their author to know whether
// a message of last week should still leave.
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
	if len(resumed) == 0 {
		return nil
	}
	answer, err := d.preview(ctx, documents)
	if err != nil {
		return err
	}
	var errs []error
	for i := range answer.Campaigns {
		c := &answer.Campaigns[i]
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
