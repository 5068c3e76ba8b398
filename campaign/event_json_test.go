package campaign

import (
	"encoding/json"
	"testing"
)

// The event of a broadcast is stored as JSON with the bulk work that it began: the names are
// part of the format.
func TestEventJSON(t *testing.T) {
	e := Event{
		Workspace: "w", Customer: "c", ID: "i", Type: Track, Name: "n", Time: 9, Historical: true,
		Properties: []byte("{}"), Traits: []byte("{ }"), Context: []byte("{  }"),
	}
	want := `{"Workspace":"w","Customer":"c","ID":"i","Type":1,"Name":"n","Time":9,"Historical":true,` +
		`"Properties":"e30=","Traits":"eyB9","Context":"eyAgfQ=="}`
	if got, err := json.Marshal(e); err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}
