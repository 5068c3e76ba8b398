package active

import (
	"encoding/json"
	"testing"

	"github.com/nudge-engine/nudge/campaign/event"
)

// A visit is stored as JSON in the snapshot of a shard, and counters to be filled in control
// records: the names are part of the format.
func TestStoredJSON(t *testing.T) {
	for _, c := range []struct {
		name string
		v    any
		want string
	}{
		{"visit", BulkTask{
			Kind: BulkBroadcast, Due: 5, Event: &event.Event{Name: "Sale"}, Campaigns: []string{"a"}, Existing: []string{"b"},
		}, `{"Kind":1,"Due":5,"Event":{"Workspace":"","Customer":"","ID":"","Type":0,"Name":"Sale","Time":0,` +
			`"Historical":false,"Properties":null,"Traits":null,"Context":null},"Campaigns":["a"],"Existing":["b"]}`},
		{"empty visit", BulkTask{}, `{"Kind":0,"Due":0,"Event":null,"Campaigns":null,"Existing":null}`},
		{"dropped counters", BulkTask{
			Kind: BulkForget, Counters: []string{"c"}, Windows: []string{"w"}, Sums: []DroppedCounter{{"c", "w", "p"}},
		}, `{"Kind":9,"Due":0,"Event":null,"Campaigns":null,"Existing":null,"Counters":["c"],"Windows":["w"],` +
			`"Sums":[{"Counter":"c","Window":"w","Property":"p"}]}`},
		{
			"counter",
			CounterRequest{Event: "e", Where: "true", Sums: []string{"p"}, Window: 7, Counted: true},
			`{"Event":"e","Where":"true","Sums":["p"],"Window":7,"Counted":true}`,
		},
		{"empty counter", CounterRequest{}, `{"Event":"","Where":"","Sums":null,"Window":0,"Counted":false}`},
	} {
		got, err := json.Marshal(c.v)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %s, %v; want %s", c.name, got, err, c.want)
		}
	}
}
