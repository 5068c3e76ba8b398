package dispatch

import (
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// A delivery is one line, whatever the customer and the message are called.
func TestConsoleWritesOneLine(t *testing.T) {
	for id, want := range map[string]string{
		"ann": "to ann ", "x\u009b2J\u2028forged": `to "x\u009b2J\u2028forged" `, "žofie 日本": "to žofie 日本 ",
	} {
		var out strings.Builder
		o := &Outgoing{Message: []program.Field{{Name: "title", Source: "a\x1b[2J\nb"}}}
		o.Delivery.Customer = id
		if got := NewConsole(&out).Send(t.Context(), o); got.Verdict != output.Accepted {
			t.Fatal(got)
		}
		if !strings.Contains(out.String(), want) || strings.ContainsAny(out.String(), "\x1b\u009b\u2028") ||
			strings.Count(out.String(), "\n") != 1 {
			t.Errorf("%q: got %q; want %q in it", id, out.String(), want)
		}
	}
}
