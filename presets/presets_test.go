package presets_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/definition"
	"github.com/nudge-engine/nudge/internal/simulate"
	"github.com/nudge-engine/nudge/message"
	"github.com/nudge-engine/nudge/presets"
)

func language(t *testing.T) *expr.Language {
	t.Helper()
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	return lang
}

func library(t *testing.T) []presets.Preset {
	t.Helper()
	all, err := presets.All()
	if err != nil || len(all) == 0 {
		t.Fatalf("%d presets, %v", len(all), err)
	}
	return all
}

func catalogue(t *testing.T) []presets.Event {
	t.Helper()
	all, err := presets.Events()
	if err != nil || len(all) == 0 {
		t.Fatalf("%d events, %v", len(all), err)
	}
	return all
}

// samples are what the catalogue says that events carry.
func samples(t *testing.T) []definition.Sample {
	t.Helper()
	var all []definition.Sample
	for _, e := range catalogue(t) {
		all = append(all, definition.Sample{Event: e.Name, Properties: slices.Collect(maps.Keys(e.Properties))})
	}
	return all
}

// strictly parses a preset with what it shares, as nudge check does.
func strictly(t *testing.T, lang *expr.Language, p presets.Preset, text []byte) []parse.Parsed {
	t.Helper()
	shared, _, err := presets.Shared(text)
	if err != nil {
		t.Fatal(err)
	}
	docs, err := definition.Parse(lang, []definition.File{
		{Name: p.Name + ".yaml", Text: text},
		{Name: "workspace.yaml", Text: shared},
	}, definition.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

// Each preset parses strictly, no advice is given for it, it begins with two lines that
// say what it does and needs, and all its scenarios hold.
func TestPresets(t *testing.T) {
	// shows: 14 in post-purchase
	// shows: 21 in bonus-expiry
	// shows: 22 in birthday
	// shows: 23 in anniversary
	// shows: 25, 26 in renewal
	// shows: 32 in stale-opportunity
	// shows: 33, 34, 138 in level-progress
	// shows: 35 in level-up
	// shows: 59, 62 in storm-warning
	// shows: 60 in back-in-stock
	// shows: 78, 79, 124 in appointment
	// shows: 78 in no-show
	// shows: 88, 89, 91 in failed-payment
	// shows: 88 in invoice-overdue
	// shows: 45, 127 in onboarding
	// shows: 48, 49 in cart-abandoned
	// shows: 50 in browse-abandoned
	// shows: 51, 119 in welcome
	// shows: 110-113, 117, 120 in reactivation
	// shows: 111 in cart-abandoned
	// shows: 125 in support-ticket
	// shows: 126 in order-updates
	// shows: 3 in first-purchase
	// shows: 4 in nth-purchase
	// shows: 19 in win-back
	lang := language(t)
	for _, p := range library(t) {
		t.Run(p.Name, func(t *testing.T) {
			head := strings.SplitN(string(p.Text), "\n", 3)
			if !strings.HasPrefix(head[0], "# ") || !strings.HasPrefix(head[1], "# Needs: ") ||
				!strings.HasPrefix(head[2], "apiVersion:") {
				t.Errorf("the file does not begin with one line of what it does and one of what it needs:\n%s\n%s",
					head[0], head[1])
			}
			docs := strictly(t, lang, p, p.Text)
			for _, a := range definition.Advise(docs, samples(t)...) {
				t.Errorf("campaign %s: %s", a.Campaign, a.Message)
			}
			tested := map[string]bool{}
			for i := range docs {
				sc := docs[i].Scenario
				if sc == nil {
					continue
				}
				for _, name := range sc.Campaigns {
					tested[name] = true
				}
				wrong, err := simulate.RunScenario(lang, docs, sc)
				if err != nil {
					t.Errorf("%s: %v", sc.Name, err)
				}
				for _, m := range wrong {
					t.Errorf("%s: %s", sc.Name, m)
				}
			}
			for i := range docs {
				kind, name := docs[i].Document.Kind, docs[i].Document.Name
				if own := kind == program.KindCampaign || kind == program.KindScenario; own && name != p.Name &&
					!strings.HasPrefix(name, p.Name+"-") {
					t.Errorf("%s %s does not begin with the preset's name", kind, name)
				}
				if kind == program.KindCampaign && !tested[name] {
					t.Errorf("no scenario plays campaign %s", name)
				}
			}
		})
	}
}

// Scenarios of the library can fail: each stops holding when nothing is sent, or, where
// it expects that, has another beside it that does not.
func TestScenariosExpectSomething(t *testing.T) {
	lang := language(t)
	for _, p := range library(t) {
		sends := 0
		for _, d := range strictly(t, lang, p, p.Text) {
			if d.Scenario == nil {
				continue
			}
			expects := 0
			for i := range d.Scenario.Steps {
				sends += len(d.Scenario.Steps[i].Expect)
				if d.Scenario.Steps[i].Expected {
					expects++
				}
			}
			if expects == 0 {
				t.Errorf("%s: no expect", d.Document.Name)
			}
		}
		if sends == 0 {
			t.Errorf("preset %s: no scenario expects a delivery", p.Name)
		}
	}
}

// Each message can be made, also of a customer of whom nothing is known.
func TestMessages(t *testing.T) {
	lang, renderer := language(t), message.NewRenderer()
	for _, p := range library(t) {
		for _, d := range strictly(t, lang, p, p.Text) {
			if d.Campaign == nil {
				continue
			}
			d.Campaign.Sends(func(step string, s *program.Send) {
				fields, err := renderer.Render(s.Message.Fields, nil, 0)
				if err != nil || len(fields) == 0 {
					t.Errorf("%s step %s: %d texts, %v", d.Document.Name, step, len(fields), err)
				}
				for _, f := range fields {
					if strings.Trim(f.Source, " .,") == "" || strings.ContainsAny(f.Source, "{}") {
						t.Errorf("%s step %s: %s is %q", d.Document.Name, step, f.Name, f.Source)
					}
				}
			})
		}
	}
}

// Under another name all names that begin with the preset's change, and nothing else.
func TestAs(t *testing.T) {
	lang := language(t)
	for _, p := range library(t) {
		text, err := p.As("other-name")
		if err != nil {
			t.Fatal(err)
		}
		docs := strictly(t, lang, p, text)
		for i := range docs {
			kind, name := docs[i].Document.Kind, docs[i].Document.Name
			if own := kind == program.KindCampaign || kind == program.KindScenario; own &&
				!strings.HasPrefix(name, "other-name") {
				t.Errorf("preset %s: %s %s kept its name", p.Name, kind, name)
			}
		}
		if back := strings.ReplaceAll(string(text), "other-name", p.Name); back != string(p.Text) {
			t.Errorf("preset %s: more changed than names", p.Name)
		}
	}
}

// A preset names only events of the catalogue, in its first lines and in its campaigns.
func TestPresetsUseTheCatalogue(t *testing.T) {
	known := map[string]bool{"$identify": true}
	for _, e := range catalogue(t) {
		known[e.Name] = true
	}
	pattern := regexp.MustCompile(`(?:event: (?:\{name: )?|track: |broadcast: |name: )([A-Z][A-Za-z]*(?: [A-Z][A-Za-z]*)*)[,}\n #]`)
	for _, p := range library(t) {
		found := pattern.FindAllStringSubmatch(string(p.Text), -1)
		for _, m := range found {
			if name := strings.TrimSpace(m[1]); strings.Contains(name, " ") && !known[name] {
				t.Errorf("preset %s: event %q is not in the catalogue", p.Name, name)
			}
		}
	}
}

// entries counts the chains entered, by campaign.
type entries map[string]int

func (e entries) Decision(d *output.Decision) error {
	if d.Kind == output.Entered {
		e[d.Campaign]++
	}
	return nil
}
func (entries) Delivery(*output.Delivery) error { return nil }
func (entries) Chain(*output.ChainRow) error    { return nil }
func (entries) Goal(*output.GoalRow) error      { return nil }

// play sends samples to the campaigns of events, each twice under one id.
func play(t *testing.T, lang *expr.Language, campaigns, samples []presets.Event) entries {
	t.Helper()
	var text []byte
	for i := range campaigns {
		text = append(append(text, "---\n"...), campaigns[i].Campaign()...)
	}
	docs, err := definition.Parse(lang, []definition.File{{Name: "events.yaml", Text: text}}, definition.Options{})
	if err != nil {
		t.Fatal(err)
	}
	seen := entries{}
	start := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC).UnixMilli()
	s, err := simulate.New(simulate.Config{Lang: lang, Documents: docs, Partitions: 2, Sink: seen}, start)
	if err != nil {
		t.Fatal(err)
	}
	for i := range samples {
		properties, err := json.Marshal(samples[i].Sample)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := s.Call(&event.Event{
				Workspace: simulate.Workspace, Customer: "ann", ID: fmt.Sprintf("sample-%d", i), Time: start,
				Type: event.Track, Name: samples[i].Name, Properties: properties,
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return seen
}

// Each sample of the catalogue starts the campaign with a filter on it exactly once,
// and none of the others.
func TestSamplesFire(t *testing.T) {
	lang := language(t)
	all := catalogue(t)
	for i := range all {
		seen := play(t, lang, all[i:i+1], all)
		for name, n := range seen {
			if n != 1 {
				t.Errorf("event %s: %d entries of %s; want 1", all[i].Name, n, name)
			}
		}
		if len(seen) != 1 {
			t.Errorf("event %s: %d campaigns entered; want 1", all[i].Name, len(seen))
		}
	}
	if together := play(t, lang, all, all); len(together) != len(all) {
		t.Errorf("all together: %d campaigns entered; want %d", len(together), len(all))
	}
}

// The filter is asked: a sample without its properties starts nothing.
func TestSamplesAreFiltered(t *testing.T) {
	all := catalogue(t)
	bare := slices.Clone(all)
	for i := range bare {
		bare[i].Sample = map[string]any{}
	}
	if seen := play(t, language(t), all, bare); len(seen) > 0 {
		t.Errorf("events without properties started %v", seen)
	}
}

// The catalogue has an event for each of the capabilities 66 to 98, no name twice, and
// samples that their schemas allow.
func TestCatalogue(t *testing.T) {
	// shows: 99
	covered, names := map[int]bool{}, map[string]bool{}
	for _, e := range catalogue(t) {
		if names[e.Name] {
			t.Errorf("event %s stands there twice", e.Name)
		}
		names[e.Name] = true
		for _, c := range e.Capabilities {
			covered[c] = true
		}
		if e.About == "" || e.Where == "" || len(e.Properties) == 0 || len(e.Capabilities) == 0 {
			t.Errorf("event %s: about, where, properties and capabilities are needed", e.Name)
		}
		for _, name := range e.Required {
			if _, ok := e.Properties[name]; !ok {
				t.Errorf("event %s: required %s is no property", e.Name, name)
			}
			if _, ok := e.Sample[name]; !ok {
				t.Errorf("event %s: the sample lacks %s", e.Name, name)
			}
		}
		for name, v := range e.Sample {
			schema, ok := e.Properties[name].(map[string]any)
			if !ok {
				t.Errorf("event %s: the schema does not know %s", e.Name, name)
				continue
			}
			if wrong := against(schema, v); wrong != "" {
				t.Errorf("event %s: %s of the sample %s", e.Name, name, wrong)
			}
		}
		if schema, err := e.Schema(); err != nil || !json.Valid(schema) {
			t.Errorf("event %s: schema %s, %v", e.Name, schema, err)
		}
	}
	for c := 66; c <= 98; c++ {
		if !covered[c] {
			t.Errorf("no event shows capability %d", c)
		}
	}
}

// against says what is wrong with a value; it knows the words that the catalogue uses.
func against(schema map[string]any, v any) string {
	for word, want := range schema {
		switch word {
		case "type":
			ok := false
			switch want {
			case "string":
				_, ok = v.(string)
			case "boolean":
				_, ok = v.(bool)
			case "integer":
				_, ok = v.(int)
			case "number":
				_, whole := v.(int)
				_, broken := v.(float64)
				ok = whole || broken
			case "array":
				_, ok = v.([]any)
			case "object":
				_, ok = v.(map[string]any)
			}
			if !ok {
				return fmt.Sprintf("is %T, not of type %v", v, want)
			}
		case "enum":
			if list, ok := want.([]any); !ok || !slices.Contains(list, v) {
				return fmt.Sprintf("is %v, not one of %v", v, want)
			}
		case "format":
			text, ok := v.(string)
			if _, err := time.Parse(time.RFC3339, text); want != "date-time" || !ok || err != nil {
				return fmt.Sprintf("is no %v: %v", want, v)
			}
		default:
			return "has a schema with the word " + word
		}
	}
	return ""
}

// docs/reference/presets.md lists the presets. UPDATE=1 writes the table.
func TestTable(t *testing.T) {
	const file, begin, end = "../docs/reference/presets.md", "<!-- presets: begin -->\n", "<!-- presets: end -->\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := bytes.Cut(text, []byte(begin))
	_, after, ended := bytes.Cut(rest, []byte(end))
	if !ok || !ended {
		t.Fatalf("%s has no lines %s and %s", file, begin, end)
	}
	var table strings.Builder
	table.WriteString("| preset | does | needs |\n|---|---|---|\n")
	for _, p := range library(t) {
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", p.Name, p.Summary, p.Needs)
	}
	want := string(before) + begin + table.String() + end + string(after)
	if want == string(text) {
		return
	}
	if os.Getenv("UPDATE") == "" {
		t.Fatalf("the table of presets in %s is not of today; UPDATE=1 go test ./presets -run TestTable writes it", file)
	}
	if err := os.WriteFile(file, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
}
