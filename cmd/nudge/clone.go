package main

import (
	"fmt"
	"strings"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/internal/definition"
	"github.com/nudge-engine/nudge/presets"
)

// cloned returns a campaign of the directory as something to begin with, in the form of a
// preset: the campaign, those that belong to it (their names begin with its name and a dash),
// and their scenarios. Templates, policies and channels are shared and are not copied.
func (n *newCommand) cloned() (presets.Preset, error) {
	p := presets.Preset{Name: n.From, Summary: "a copy of " + n.From, Needs: "what " + n.From + " needs."}
	lang, err := expr.NewLanguage()
	if err != nil {
		return p, err
	}
	docs, err := load(lang, []string{n.Dir}, definition.Options{Loose: true})
	if err != nil {
		return p, err
	}
	// Documents are copied as text, so that comments stay.
	var texts []string
	found := false
	for i := range docs {
		d := &docs[i].Document
		// Policies, templates and channels may have such names too, and are left out.
		named := d.Name == n.From || strings.HasPrefix(d.Name, n.From+"-")
		if !named || docs[i].Campaign == nil && docs[i].Scenario == nil {
			continue
		}
		found = found || docs[i].Campaign != nil
		texts = append(texts, strings.TrimSuffix(d.Source, "\n")+"\n")
	}
	if !found {
		return p, fmt.Errorf("there is no campaign %q in %s", n.From, n.Dir)
	}
	p.Text = []byte(strings.Join(texts, "---\n"))
	return p, nil
}
