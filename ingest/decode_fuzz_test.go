package ingest

import (
	"encoding/json"
	"testing"

	"github.com/nudge-engine/nudge/campaign/event"
)

// FuzzDecode: no body makes the decoder panic. What it takes is within the limits
// and can be stored and read back; what it refuses names a field.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		`{"userId":"u","event":"E","properties":{"a":[1,{"b":null}]},"timestamp":"2026-03-01T10:00:00Z"}`,
		`{"batch":[{"type":"identify","anonymousId":"a","traits":{"x":"\u0000"}},7],"sentAt":"x"}`,
		`{"userId":{},"event":1e999}`, `[[[[`, `{"a":"\ud800"}`, "\xff", `{"batch":[{"type":"track","userId":"u","event":"E","historical":true}]}`,
	} {
		f.Add([]byte(body), true)
		f.Add([]byte(body), false)
	}
	d := &decoder{workspace: "w", now: 1_772_359_200_000, newID: func() string { return "id" }}
	f.Fuzz(func(t *testing.T, body []byte, batch bool) {
		kind := "track"
		if batch {
			kind = ""
		}
		if p := d.whole(kind, body); p != nil {
			if len(p.Errors) == 0 || p.Errors[0].Path == "" || p.Status < 400 {
				t.Fatalf("%q: a refusal without a field: %+v", body, p)
			}
			return
		}
		for i := range d.events {
			e := &d.events[i]
			got, err := event.Decode(e.AppendTo(nil))
			if err != nil || got.Customer == "" || got.Name == "" || got.ID == "" || got.Time > d.now ||
				len(got.Properties) > MaxEvent {
				t.Fatalf("%q: taken as %+v, error %v", body, got, err)
			}
			for _, object := range [][]byte{got.Properties, got.Traits, got.Context} {
				if object != nil && !json.Valid(object) {
					t.Fatalf("%q: %q is no JSON", body, object)
				}
			}
		}
		for _, r := range d.rejects {
			if r.Path == "" || r.Code == "" || r.Message == "" {
				t.Fatalf("%q: a reject says too little: %+v", body, r)
			}
		}
	})
}

// whole decodes a body from its text.
func (d *decoder) whole(kind string, body []byte) *problem {
	root, p := d.parse(body)
	if p != nil {
		return p
	}
	d.reset()
	return d.decode(kind, root)
}
