package ingest

import (
	"encoding/json"
	"testing"

	"github.com/nudge-engine/nudge/campaign/event"
)

// A text stays what it was, whatever characters it has: the JSON of an event is kept for
// years and read by others.
func TestTextsOfAnEventAreKept(t *testing.T) {
	for _, text := range []string{
		"plain", "quote \" or \\", "line\nnext\ttab", "bell \a, feed \v, null \x00", "\"\x7f", "\n\u200b\u2028\ufeff", "\n\U0001f600", "\n\U000e0001", "/",
	} {
		quoted, err := json.Marshal(map[string]any{text: text, "in": []any{text, map[string]any{"it": text}}})
		if err != nil {
			t.Fatal(err)
		}
		r := NewRecorded("w")
		got, err := r.Read([]byte(`{"type":"track","userId":"u","event":"E","timestamp":"2026-03-01T10:00:00Z","properties":`+
			string(quoted)+`}`), "m")
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		checkText(t, got[0], text)
	}
}

func checkText(t *testing.T, e event.Event, text string) {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal(e.Properties, &got); err != nil {
		t.Fatalf("%q: kept as %s: %v", text, e.Properties, err)
	}
	in, _ := got["in"].([]any)
	if got[text] != text || len(in) != 2 || in[0] != text {
		t.Errorf("%q: kept as %s", text, e.Properties)
	}
}
