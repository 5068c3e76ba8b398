package deploy

import (
	"context"
	"slices"

	"github.com/nudge-engine/nudge/actors"
	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/definition"
)

// Preview is what applying files would do: the versions that would be recorded, what would
// change for chains and counters over all customers, and advice. Its JSON is the answer to a
// dry run over the admin address.
type Preview struct {
	// Applied are the documents as they would be recorded.
	Applied []actors.Applied `json:"applied"`
	shard.Preview
	Warnings []Warning `json:"warnings"`
}

// Warning is one piece of advice of `nudge check`, with the campaigns in force taken into
// account: for example that two campaigns answer the same event.
type Warning struct {
	Campaign string `json:"campaign"`
	Message  string `json:"message"`
}

// Preview says what applying the files would do, and does nothing. The error is an
// [*AuthorError] when the files are wrong; another one means that a shard gave no answer
// within limit.
func (d *Deployer) Preview(ctx context.Context, files []definition.File) (Preview, error) {
	documents, docs, err := d.check(files)
	if err != nil {
		return Preview{}, err
	}
	answer, err := d.preview(ctx, documents)
	answer.Warnings = d.warnings(docs)
	return answer, err
}

// preview is Preview for documents that are checked, without warnings.
func (d *Deployer) preview(ctx context.Context, documents []program.Document) (Preview, error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	applied, p, err := d.config.Control.Preview(limited, d.config.Workspace, documents)
	return Preview{Applied: applied, Preview: p, Warnings: []Warning{}}, err
}

// warnings returns advice on the campaigns of docs. Active campaigns in force take part, as
// things to collide with, but advice that concerns only them is left out: their author is not
// asking.
func (d *Deployer) warnings(docs []parse.Parsed) []Warning {
	named := map[string]bool{}
	all := slices.Clone(docs)
	for i := range docs {
		if docs[i].Campaign != nil {
			named[docs[i].Campaign.Name] = true
		}
	}
	for _, p := range d.config.Catalog.Known().Campaigns {
		// Campaigns that are paused or archived answer no event, and collide with nothing.
		if !named[p.Name] && p.Status == program.StatusActive {
			all = append(all, parse.Parsed{Definition: program.Definition{Campaign: p}})
		}
	}
	said := []Warning{}
	for _, a := range definition.Advise(all) {
		if named[a.Campaign] {
			said = append(said, Warning(a))
		}
	}
	return said
}
