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

// Preview is what applying files would do.
type Preview struct {
	Applied []actors.Applied `json:"applied"` // as they would be
	shard.Preview
	Warnings []Warning `json:"warnings"`
}

// Warning is what `nudge check` would say, with the campaigns in force beside.
type Warning struct {
	Campaign string `json:"campaign"`
	Message  string `json:"message"`
}

// Preview says what applying the files would do, and does nothing. The error is an
// [*AuthorError] when the files are wrong.
func (d *Deployer) Preview(ctx context.Context, files []definition.File) (Preview, error) {
	documents, docs, err := d.check(files)
	if err != nil {
		return Preview{}, err
	}
	answer, err := d.preview(ctx, documents)
	answer.Warnings = d.warnings(docs)
	return answer, err
}

// preview is without warnings.
func (d *Deployer) preview(ctx context.Context, documents []program.Document) (Preview, error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	applied, p, err := d.config.Control.Preview(limited, d.config.Workspace, documents)
	return Preview{Applied: applied, Preview: p, Warnings: []Warning{}}, err
}

// warnings advises on the campaigns of docs beside those in force; only what concerns
// the former is said.
func (d *Deployer) warnings(docs []parse.Parsed) []Warning {
	named := map[string]bool{}
	all := slices.Clone(docs)
	for i := range docs {
		if docs[i].Campaign != nil {
			named[docs[i].Campaign.Name] = true
		}
	}
	for _, p := range d.config.Catalog.Known().Campaigns {
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
