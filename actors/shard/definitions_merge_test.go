package shard

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"github.com/nudge-engine/nudge/campaign/program"
)

// TestMergeAgreesWithAMap puts random documents in force over others: the result is that
// of a map, sorted, and each stands beside what it means.
func TestMergeAgreesWithAMap(t *testing.T) {
	compiledOf := 0
	d := newDefinitions(func(_ string, doc *program.Document) (program.Definition, error) {
		compiledOf++
		return program.Definition{Document: *doc, Campaign: &program.Program{Name: doc.Kind + "/" + doc.Name, Version: doc.Version}}, nil
	})
	r := rand.New(rand.NewPCG(7, 1))
	for range 200 {
		model := map[string]program.Document{}
		old := new(workspace)
		for version := range uint32(5) {
			var docs []program.Document
			for range r.IntN(12) {
				docs = append(docs, program.Document{
					Kind: []string{"Campaign", "Policy"}[r.IntN(2)], Name: fmt.Sprint("n", r.IntN(20)), Version: version,
				})
			}
			for _, doc := range docs {
				model[doc.Kind+"/"+doc.Name] = doc
			}
			next, before := new(workspace), compiledOf
			if err := d.merge("w", next, old, docs); err != nil {
				t.Fatal(err)
			}
			if compiledOf-before != len(docs) {
				t.Fatalf("%d compiled; want the %d that came", compiledOf-before, len(docs))
			}
			old = next
		}
		want := make([]string, 0, len(model))
		for key, doc := range model { //nudge:unordered sorted below
			want = append(want, fmt.Sprint(key, " ", doc.Version))
		}
		sort.Strings(want)
		var got []string
		for i := range old.Documents {
			doc, p := &old.Documents[i], old.compiled[i].campaign
			got = append(got, fmt.Sprint(doc.Kind, "/", doc.Name, " ", doc.Version))
			if p.Name != doc.Kind+"/"+doc.Name || p.Version != doc.Version {
				t.Fatalf("%s/%s stands beside %s", doc.Kind, doc.Name, p.Name)
			}
			if found, ok := old.find(doc.Kind, doc.Name); !ok || found != doc {
				t.Fatalf("%s/%s is not found", doc.Kind, doc.Name)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
	}
}
