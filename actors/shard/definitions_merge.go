package shard

import (
	"fmt"
	"sort"
	"strings"

	"github.com/nudge-engine/nudge/campaign/program"
)

// compiled is what one document means. At most one field is set; channels and templates
// mean nothing to a shard and set none.
type compiled struct {
	campaign *program.Program
	policy   *program.Policy
}

// compareDocuments orders documents by kind, then name; the result is as of
// strings.Compare.
func compareDocuments(kindA, nameA, kindB, nameB string) int {
	if c := strings.Compare(kindA, kindB); c != 0 {
		return c
	}
	return strings.Compare(nameA, nameB)
}

// find returns the document of a kind and name by binary search. The pointer is valid
// until the documents change.
func (w *workspace) find(kind, name string) (d *program.Document, ok bool) {
	i := sort.Search(len(w.Documents), func(i int) bool {
		return compareDocuments(w.Documents[i].Kind, w.Documents[i].Name, kind, name) >= 0
	})
	if i == len(w.Documents) || w.Documents[i].Kind != kind || w.Documents[i].Name != name {
		return nil, false
	}
	return &w.Documents[i], true
}

// merge gives next the documents of old, with docs in the place of those of the same kind
// and name; of two in docs with one name the later holds. Only docs are compiled: 10,000
// campaigns come in many control records, and to compile all at each of them would take
// quadratic time.
func (d *definitions) merge(workspace string, next, old *workspace, docs []program.Document) error {
	type change struct {
		doc program.Document
		compiled
	}
	changes := make([]change, 0, len(docs))
	for i := range docs {
		p, err := d.compile(workspace, &docs[i])
		if err != nil {
			return fmt.Errorf("actors: workspace %s: %w", workspace, err)
		}
		c := change{docs[i], compiled{p.Campaign, p.Policy}}
		// Compile caches programs for all partitions: use its copy of the text, so that
		// the partitions of a server share one.
		if p.Document.Source == c.doc.Source && SameNeeds(p.Document.Needs, c.doc.Needs) {
			c.doc.Source, c.doc.Needs = p.Document.Source, p.Document.Needs
		}
		changes = append(changes, c)
	}
	sort.SliceStable(changes, func(i, j int) bool {
		a, b := &changes[i].doc, &changes[j].doc
		return compareDocuments(a.Kind, a.Name, b.Kind, b.Name) < 0
	})
	next.Documents = make([]program.Document, 0, len(old.Documents)+len(changes))
	next.compiled = make([]compiled, 0, len(old.Documents)+len(changes))
	at := 0
	for i := range changes {
		c := &changes[i]
		if i+1 < len(changes) && changes[i+1].doc.Kind == c.doc.Kind && changes[i+1].doc.Name == c.doc.Name {
			continue
		}
		order := -1
		for at < len(old.Documents) {
			o := &old.Documents[at]
			if order = compareDocuments(o.Kind, o.Name, c.doc.Kind, c.doc.Name); order >= 0 {
				break
			}
			next.Documents, next.compiled = append(next.Documents, *o), append(next.compiled, old.compiled[at])
			at++
		}
		if order == 0 {
			at++ // replaced
		}
		next.Documents, next.compiled = append(next.Documents, c.doc), append(next.compiled, c.compiled)
	}
	next.Documents = append(next.Documents, old.Documents[at:]...)
	next.compiled = append(next.compiled, old.compiled[at:]...)
	return nil
}

// SameNeeds reports whether the steps of two versions of a campaign need the same
// variables.
func SameNeeds(a, b map[string][]program.Variable) bool {
	if len(a) != len(b) {
		return false
	}
	for step, variables := range a { //nudge:unordered all must be the same
		other := b[step]
		if len(other) != len(variables) {
			return false
		}
		for i := range variables {
			if variables[i] != other[i] {
				return false
			}
		}
	}
	return true
}
