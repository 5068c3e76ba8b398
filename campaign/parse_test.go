package campaign

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestParse tells what the language accepts and refuses: testdata/parse/*.txt.
// Every error of a file comes at once, with line and column.
func TestParse(t *testing.T) {
	lang, err := NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	datadriven.Walk(t, "testdata/parse", func(t *testing.T, path string) {
		t.Helper()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			t.Helper()
			docs, err := Parse(lang, "f.yaml", []byte(d.Input))
			if err != nil {
				var all Errors
				if !errors.As(err, &all) {
					t.Fatalf("%s: unexpected class of error: %v", d.Pos, err)
				}
				return err.Error() + "\n"
			}
			var out strings.Builder
			for _, p := range docs {
				out.WriteString(p.Document.Kind + " " + p.Document.Name + "\n")
				// What is kept of a document means the same when it is read back.
				again, err := ParseDocument(lang, "default", &p.Document)
				if err != nil || again.Document.Source != p.Document.Source {
					t.Errorf("%s: %s does not survive: %v", d.Pos, p.Document.Name, err)
				}
			}
			return out.String()
		})
	})
}

func TestParseLimits(t *testing.T) {
	lang, err := NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	f := func(text, want string) {
		t.Helper()
		if _, err := Parse(lang, "f.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: unexpected error %v; want %q", text, err, want)
		}
	}
	f(strings.Repeat("#", 1<<20+1), "at most 1048576 are allowed")
	f("a: "+strings.Repeat("[", 100)+strings.Repeat("]", 100), "nested deeper than 32")
	f("a: &x [1]\nb: *x\n", "unknown field")
	head := "apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: a}\nspec:\n  trigger: {event: {name: E}}\n  steps:\n"
	f(head+strings.Repeat("  - {id: a, delay: 1s}\n", 101), "at most 100 are allowed")
	f(head+"  - {id: a, delay: 11y}\n", "is not understood")
	f(head+"  - {id: a, delay: 4000d}\n", "over ten years")
	f(head+"  - {id: a, delay: 0s}\n", "more than zero")
	// So many errors are neither told nor looked into.
	var b strings.Builder
	for i := range 50_000 {
		b.WriteString("  field" + strconv.Itoa(i) + ": 1\n")
	}
	f("apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: a}\nspec:\n"+b.String(), "49802 more errors from here on")
}

func TestDuration(t *testing.T) {
	f := func(text string, want int64) {
		t.Helper()
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%q: unexpected %d, error %v; want %d", text, got, err, want)
		}
	}
	f("90s", 90_000)
	f("15m", 900_000)
	f("24h", 86_400_000)
	f("14d", 14*86_400_000)
	f("2w", 14*86_400_000)
	f("1h30m", 5_400_000)
	f("250ms", 250)
	for _, bad := range []string{"", "1", "h", "1.5h", "-1h", "1h ", "9999999999999w", "1month"} {
		if got, err := ParseDuration(bad); err == nil {
			t.Errorf("%q: unexpected %d; want an error", bad, got)
		}
	}
}

func TestMoney(t *testing.T) {
	f := func(text string, want Money, shown string) {
		t.Helper()
		if got, ok := ParseMoney(text); !ok || got != want || got.String() != shown {
			t.Errorf("%q: unexpected %d %v %q; want %d %q", text, got, ok, got.String(), want, shown)
		}
	}
	f("30", 30_000_000, "30")
	f("363.6", 363_600_000, "363.6")
	f("-0.000001", -1, "-0.000001")
	f("0.1", 100_000, "0.1")
	f("1e2", 100_000_000, "100")
	f("1.0000005", 1_000_001, "1.000001")
	f("-1.0000005", -1_000_001, "-1.000001")
	f("1E-30", 0, "0")
	f("9223372036854.775807", 9_223_372_036_854_775_807, "9223372036854.775807")
	for _, bad := range []string{"", "x", "1e400", "9223372036855", "--1", "+1", "1.2.3"} {
		if got, ok := ParseMoney(bad); ok {
			t.Errorf("%q: unexpected %d; want a refusal", bad, got)
		}
	}
}
