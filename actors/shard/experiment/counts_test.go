package experiment

import (
	"reflect"
	"slices"
	"strconv"
	"testing"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/goldentest"
	"github.com/nudge-engine/nudge/storage"
)

func someTally() *Counts {
	return &Counts{
		Workspace: "w", Campaign: "c", Step: "s", Experiment: 0x0102030405060708, From: 5, First: 9,
		Variants: []VariantCounts{
			{Variant: "a", Rows: []Row{{Hour: 0, Exposures: 2}, {Hour: 492322, Exposures: 300, Conversions: 31}}},
			{Variant: "b", Rows: []Row{{Hour: 492323, Exposures: 1, Conversions: -1}}},
		},
	}
}

func TestTallyGolden(t *testing.T) {
	b := someTally().appendTo(nil)
	goldentest.Bytes(t, "tally.v1", b)
	got, err := decodeCounts(b)
	if err != nil || !reflect.DeepEqual(got, someTally()) {
		t.Errorf("unexpected tally %+v, error %v", got, err)
	}
	for n := range b {
		if _, err := decodeCounts(b[:n]); err == nil {
			t.Errorf("%d of %d bytes are read without an error", n, len(b))
		}
	}
}

// A tally that is dropped leaves the store with the next snapshot, one that changed is
// there after it, and one that did not is not written again.
func TestTalliesInTheStore(t *testing.T) {
	store := storage.NewMemory()
	stored := func() (steps []string) {
		var s Table
		if err := store.Scan(storage.TallyPrefix(3), func(_, v []byte) error { return s.Load(v) }); err != nil {
			t.Fatal(err)
		}
		for key := range s.all { //nudge:unordered sorted below
			steps = append(steps, key.Step)
		}
		slices.Sort(steps)
		return steps
	}
	var s Table
	snapshot := func() *storage.Batch {
		b := new(storage.Batch)
		s.Snapshot(3, b)
		if err := store.Commit(b); err != nil {
			t.Fatal(err)
		}
		return b
	}
	out := output.Output{Exposures: []output.Exposure{
		{Workspace: "w", Campaign: "c", Step: "s", Variant: "a", At: 1, Hour: 1, Exposed: 1},
		{Workspace: "w", Campaign: "c", Step: "t", Variant: "a", At: 1, Hour: 1, Exposed: 1},
	}}
	s.Fold(&out)
	snapshot()
	if got := stored(); !slices.Equal(got, []string{"s", "t"}) || len(out.Exposures) != 0 {
		t.Errorf("stored are %v, and %d changes are left", got, len(out.Exposures))
	}
	if b := snapshot(); !reflect.DeepEqual(b, new(storage.Batch)) {
		t.Errorf("an unchanged tally is written again: %+v", b)
	}
	s.Renew(9, func(t *Counts) *program.Experiment {
		if t.Step == "t" {
			return new(program.Experiment)
		}
		return nil
	})
	snapshot()
	if got := stored(); !slices.Equal(got, []string{"t"}) {
		t.Errorf("stored are %v", got)
	}
}

// What is exposed after an experiment was replaced counts anew; chains of before do not
// come into it, also when a later version brings the experiment back.
func TestTallyOfAnotherExperiment(t *testing.T) {
	first, second := anExperiment(t, "{}"), anExperiment(t, "{}, salt: other")
	var s Table
	change := func(x *program.Experiment, at int64, exposed, converted int) {
		s.Fold(&output.Output{Exposures: []output.Exposure{
			{
				Campaign:   "c",
				Step:       "s",
				Variant:    "a",
				Experiment: x.Print(),
				At:         at,
				Hour:       7,
				Exposed:    exposed,
				Converted:  converted,
			},
		}})
	}
	inForce := func(x *program.Experiment, now int64) {
		s.Renew(now, func(*Counts) *program.Experiment { return x })
	}
	want := func(want ...VariantCounts) {
		t.Helper()
		if got := s.all[Key{"", "c", "s"}].Variants; !reflect.DeepEqual(got, want) {
			t.Errorf("counted are %+v; want %+v", got, want)
		}
	}
	change(first, 10, 1, 0)
	change(first, 11, 1, 0)
	inForce(second, 15)
	want()
	change(second, 20, 1, 0)
	change(first, 11, 0, 1) // of the one before
	want(VariantCounts{"a", []Row{{Hour: 7, Exposures: 1}}})
	inForce(first, 25)
	change(first, 11, 0, 1)
	change(first, 30, 1, 0)
	change(first, 30, 0, 1)
	want(VariantCounts{"a", []Row{{Hour: 7, Exposures: 1, Conversions: 1}}})
	inForce(first, 40)
	want(VariantCounts{"a", []Row{{Hour: 7, Exposures: 1, Conversions: 1}}})
	inForce(nil, 50)
	if len(s.all) != 0 {
		t.Errorf("a decided experiment is still counted: %+v", s.all)
	}
}

// Beyond the limit experiments are not counted.
func TestTooManyTallies(t *testing.T) {
	var s Table
	for i := range MaxTallies + 2 {
		s.Fold(
			&output.Output{
				Exposures: []output.Exposure{{Step: strconv.Itoa(i), Variant: "a", At: 1, Hour: 1, Exposed: 1}},
			},
		)
	}
	if len(s.all) != MaxTallies {
		t.Errorf("%d experiments are counted; want %d", len(s.all), MaxTallies)
	}
}
