package main

import (
	"context"
	"net/http"
	"slices"

	"github.com/nudge-engine/nudge/actors"
	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/internal/definition"
)

// preview is the answer of a dry run.
type preview struct {
	Applied []actors.Applied `json:"applied"` // as they would be
	actors.Preview
	Warnings []warning `json:"warnings"`
}

// warning is what `nudge check` would say, with the campaigns in force beside.
type warning struct {
	Campaign string `json:"campaign"`
	Message  string `json:"message"`
}

// adminPreview says what applying the files would do, and does nothing.
func (n *node) adminPreview(w http.ResponseWriter, r *http.Request, files []definition.File) error {
	documents, docs, err := n.checked(files)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(r.Context(), applyLimit)
	defer cancel()
	answer, err := n.foresee(limited, documents)
	if err != nil {
		return err
	}
	answer.Warnings = n.warnings(docs)
	writeJSON(w, http.StatusOK, answer)
	return nil
}

func (n *node) foresee(ctx context.Context, documents []campaign.Document) (preview, error) {
	applied, p, err := n.control.Preview(ctx, workspaceName, documents)
	return preview{Applied: applied, Preview: p, Warnings: []warning{}}, err
}

// warnings advises on the campaigns of docs beside those in force; only what concerns
// the former is said.
func (n *node) warnings(docs []campaign.Parsed) []warning {
	named := map[string]bool{}
	all := slices.Clone(docs)
	for i := range docs {
		if docs[i].Campaign != nil {
			named[docs[i].Campaign.Name] = true
		}
	}
	for _, p := range n.catalog.known().Campaigns {
		if !named[p.Name] && p.Status == campaign.StatusActive {
			all = append(all, campaign.Parsed{Campaign: p})
		}
	}
	said := []warning{}
	for _, a := range definition.Advise(all) {
		if named[a.Campaign] {
			said = append(said, warning(a))
		}
	}
	return said
}
