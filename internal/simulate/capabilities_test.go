package simulate_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/definition"
	"github.com/nudge-engine/nudge/internal/simulate"
	"github.com/nudge-engine/nudge/message"
)

// bodies is a Sink that renders what is handed off.
type bodies struct {
	renderer *message.Renderer
	fields   map[string][]program.Field // campaign/step -> texts
	texts    []string
	sent     map[string]bool // campaigns
}

func (b *bodies) Delivery(d *output.Delivery) error {
	if d.Status != output.HandedOff {
		return nil
	}
	fields, err := b.renderer.Render(b.fields[d.Campaign+"/"+d.Step], d.Values, d.At)
	b.sent[d.Campaign] = true
	for _, f := range fields {
		b.texts = append(b.texts, f.Source)
	}
	return err
}
func (*bodies) Decision(*output.Decision) error { return nil }
func (*bodies) Chain(*output.ChainRow) error    { return nil }
func (*bodies) Goal(*output.GoalRow) error      { return nil }

// says plays all scenarios and returns the texts of what is handed off, in order. Each
// campaign that can send must have sent something: its triggers and conditions hold
// for somebody.
func says(t *testing.T, lang *expr.Language, docs []parse.Parsed) []string {
	t.Helper()
	sink := &bodies{
		renderer: message.NewRenderer(), fields: map[string][]program.Field{}, sent: map[string]bool{},
	}
	var definitions []parse.Parsed
	for i := range docs {
		if docs[i].Scenario == nil {
			definitions = append(definitions, docs[i])
		}
		if p := docs[i].Campaign; p != nil {
			p.Sends(func(step string, s *program.Send) { sink.fields[p.Name+"/"+step] = s.Message.Fields })
		}
	}
	for i := range docs {
		sc := docs[i].Scenario
		if sc == nil {
			continue
		}
		s, err := simulate.New(simulate.Config{Lang: lang, Documents: definitions, Partitions: 1, Sink: sink}, sc.At)
		if err != nil {
			t.Fatal(err)
		}
		now := sc.At
		for j := range sc.Steps {
			step := &sc.Steps[j]
			if now += step.Advance; step.Call == nil {
				err = s.AdvanceTo(now)
			} else {
				e := *step.Call
				e.Workspace, e.Customer, e.ID, e.Time = simulate.Workspace, step.Customer, "step-"+string(rune('a'+j)), now
				err = s.Call(&e)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range docs {
		if p := docs[i].Campaign; p != nil {
			p.Sends(func(string, *program.Send) {
				if !sink.sent[p.Name] {
					t.Errorf("campaign %s never sends", p.Name)
				}
			})
		}
	}
	return sink.texts
}

// TestCapabilities plays testdata/capabilities: campaigns with scenarios, each of which
// must hold. Lines "# says: ..." are the texts of all that is handed off.
func TestCapabilities(t *testing.T) {
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/capabilities/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			docs, err := definition.Parse(lang, []definition.File{{Name: file, Text: text}}, definition.Options{})
			if err != nil {
				t.Fatal(err)
			}
			expected := 0
			for i := range docs {
				sc := docs[i].Scenario
				if sc == nil {
					continue
				}
				wrong, err := simulate.RunScenario(lang, docs, sc)
				if err != nil {
					t.Fatalf("%s: %v", sc.Name, err)
				}
				for _, m := range wrong {
					t.Errorf("%s: %s", sc.Name, m)
				}
				for j := range sc.Steps {
					expected += len(sc.Steps[j].Expect)
				}
			}
			if expected == 0 {
				t.Error("no scenario expects a delivery")
			}
			var want []string
			for line := range strings.Lines(string(text)) {
				if said, ok := strings.CutPrefix(line, "# says: "); ok {
					want = append(want, strings.TrimSuffix(said, "\n"))
				}
			}
			if got := says(t, lang, docs); len(want) > 0 && !slices.Equal(got, want) {
				t.Errorf("said\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}
