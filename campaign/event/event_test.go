package event

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/nudge-engine/nudge/internal/goldentest"
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

func TestEventCodec(t *testing.T) {
	e := Event{
		Workspace: "default", Customer: "ann", ID: "m1", Type: Track, Name: "Order Completed", Time: 1_772_359_200_000,
		Historical: true, Properties: []byte(`{"total":1}`), Traits: []byte(`{}`), Context: []byte(`{"ip":"::1"}`),
	}
	b := e.AppendTo(nil)
	goldentest.Bytes(t, "event.v1", b)
	got, err := Decode(b)
	if err != nil || !reflect.DeepEqual(got, e) {
		t.Errorf("unexpected event %+v, error %v", got, err)
	}
}
