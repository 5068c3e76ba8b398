package experiment

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/campaign/winner"
)

// anExperiment parses a campaign with one experiment.
func anExperiment(t *testing.T, rule string) *program.Experiment {
	t.Helper()
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	docs, err := parse.File(lang, "x", []byte(`
apiVersion: nudge/v1
kind: Campaign
metadata: {name: x}
spec:
  trigger: {event: {name: Go}}
  goals: [{id: g, event: Bought, window: 3h}]
  steps: [{id: offer, experiment: {variants: [{id: a}, {id: b}], winner: `+rule+`}}]
`))
	if err != nil {
		t.Fatal(err)
	}
	var found *program.Experiment
	docs[0].Campaign.Experiments(func(_ string, x *program.Experiment) { found = x })
	return found
}

const firstHour = 1000

func tallyOf(x *program.Experiment, first int64) Counts {
	return Counts{Campaign: "x", Step: "offer", Experiment: x.Print(), First: first}
}

func counted(t *Counts, variant string, hour int64, exposures, conversions int) {
	t.add(&output.Exposure{Variant: variant, At: t.First, Hour: hour, Exposed: exposures, Converted: conversions})
}

// Where an experiment stands does not depend on the number of partitions, nor on how
// often and how late somebody looked.
func TestStandingIsOneFunction(t *testing.T) {
	x := anExperiment(t, "{min_per_variant: 60, min_time: 4h, deadline: 60h}")
	random := rand.New(rand.NewPCG(5, 6))
	verdicts := map[winner.Verdict]int{}
	for range 60 {
		const first = firstHour*unit.HourMillis + 1234
		one, three := tallyOf(x, first), []Counts{tallyOf(x, first+9), tallyOf(x, first), tallyOf(x, first+7)}
		three = append(three, Counts{Experiment: x.Print() + 1, First: 1}) // of another experiment
		counted(&three[3], "a", firstHour+1, 999, 999)
		better := random.Float64() * 0.2
		for hour := int64(firstHour + 1); hour < firstHour+50; hour++ {
			for i, variant := range []string{"a", "b"} {
				for range random.IntN(9) {
					converted := 0
					if random.Float64() < 0.2+float64(i)*better {
						converted = 1
					}
					counted(&one, variant, hour, 1, converted)
					counted(&three[random.IntN(3)], variant, hour, 1, converted)
				}
			}
		}
		through := firstHour + random.Int64N(70)
		at := NewState(x)
		at.Look([]Counts{one}, through, true)
		steps := NewState(x)
		for hour := int64(firstHour); hour <= through && steps.Verdict != winner.Decided; hour++ {
			if next := steps.NextChange(three, hour); next == hour || next == 0 {
				steps.Look(three, hour, true)
			} else {
				t.Fatalf("hour %d: the change of hour %d was passed over", hour, next)
			}
		}
		text := func(s *State) string {
			b, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		if at.Verdict == winner.Decided { // nobody looks on
			at.Exposed, steps.Exposed = nil, nil
		}
		if text(at) != text(steps) {
			t.Fatalf("at once, one partition\n%s\nhour by hour, three\n%s", text(at), text(steps))
		}
		verdicts[at.Verdict]++
	}
	if verdicts[winner.Decided] == 0 || verdicts[winner.Open] == 0 || verdicts[winner.Wait] == 0 {
		t.Errorf("unexpected verdicts %v: the test shows nothing", verdicts)
	}
}

// Shares that chance does not give block the decision and are recorded once, at the hour
// at which they first did, however late somebody looks. A blocked look is a look: right
// shares an hour later are not looked at, those at the next doubling decide.
func TestBlockIsRecordedOnce(t *testing.T) {
	x := anExperiment(t, "{min_per_variant: 100, min_time: 1h}")
	tally := tallyOf(x, firstHour*unit.HourMillis)
	counted(&tally, "a", firstHour+3, 300, 30)
	counted(&tally, "b", firstHour+3, 200, 60)
	counted(&tally, "a", firstHour+4, 10, 1)
	counted(&tally, "b", firstHour+9, 120, 36) // 310 and 320, which is not twice 500
	counted(&tally, "a", firstHour+12, 290, 29)
	counted(&tally, "b", firstHour+12, 380, 114)
	s := NewState(x)
	s.Look([]Counts{tally}, firstHour+50, false)
	d := s.Record("default", "x", "offer", false)
	if d == nil || d.Variant != "" || d.Reason != output.ReasonRatio || d.Hour != firstHour+3 || d.Mismatch > 0.001 ||
		d.Arms[0].Exposures != 300 || d.Arms[1].Exposures != 200 {
		t.Fatalf("unexpected record %+v", d)
	}
	again := NewState(x)
	again.Look([]Counts{tally}, firstHour+4, true)
	if d := again.Record("default", "x", "offer", true); d != nil || again.Verdict != winner.Blocked {
		t.Errorf("unexpected record %+v of an experiment that stands at %+v", d, again)
	}
	for _, on := range []*State{again, s} {
		on.Look([]Counts{tally}, firstHour+50, true)
		d := on.Record("default", "x", "offer", true)
		if d == nil || d.Variant != "b" || d.Reason != output.ReasonConfidence || d.Hour != firstHour+12 ||
			d.Look != 2 ||
			d.Arms[1].Best < 0.99 {
			t.Errorf("unexpected record %+v", d)
		}
	}
}

// An experiment counts for 10,000 hours from its first exposure; the deadline decides
// without enough exposures.
func TestEndOfAnExperiment(t *testing.T) {
	x := anExperiment(t, "{min_per_variant: 100, min_time: 1h}")
	first := int64(firstHour * unit.HourMillis)
	tally := tallyOf(x, first)
	counted(&tally, "a", firstHour+10_000, 100, 1)
	counted(&tally, "b", firstHour+10_001, 100, 50) // no look comes to it
	s := NewState(x)
	s.Look([]Counts{tally}, firstHour+20_000, true)
	if s.Verdict != winner.Wait || s.Arms[0].Exposures != 100 || s.Arms[1].Exposures != 0 {
		t.Errorf("unexpected standing %+v", s)
	}
	x = anExperiment(t, "{min_per_variant: 100, min_time: 1h, deadline: 5h}")
	tally = tallyOf(x, first+1)
	counted(&tally, "a", firstHour+2, 5, 1)
	counted(&tally, "b", firstHour+2, 5, 2)
	s = NewState(x)
	s.Look([]Counts{tally}, firstHour+5, true)
	if s.Verdict != winner.Wait {
		t.Errorf("unexpected verdict %v before the deadline", s.Verdict)
	}
	s.Look([]Counts{tally}, firstHour+6, true)
	if s.Winner != "b" || s.Reason != output.ReasonDeadline || s.Hour != firstHour+6 {
		t.Errorf("unexpected standing %+v", s)
	}
}
