package program

import (
	"encoding/json"
	"testing"
)

// Documents are stored as JSON in control records and snapshots: the names are part of the
// format.
func TestDocumentJSON(t *testing.T) {
	d := Document{Kind: "k", Name: "n", Version: 2, Source: "s", Needs: map[string][]Variable{
		"a": {{Path: "p", Optional: true}, {Path: "q", Unless: "p"}},
	}}
	want := `{"kind":"k","name":"n","version":2,"source":"s","needs":{"a":[{"Path":"p","Optional":true},` +
		`{"Path":"q","Optional":false,"Unless":"p"}]}}`
	if got, err := json.Marshal(d); err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}
