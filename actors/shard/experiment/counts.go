package experiment

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Counts is what a shard counted for an experiment (ADR 14). Rows up to the full hours of
// the shard's log time are final.
type Counts struct {
	Workspace  string
	Campaign   string
	Step       string
	Experiment uint64 // Experiment.Print
	// From is the log time from which it counts, ms: chains exposed earlier belong to the
	// experiment that was there before under the same name. 0: from the beginning.
	From     int64
	First    int64           // log time of the first exposure, ms; 0 before
	Variants []VariantCounts // sorted by variant
}

// VariantCounts is one variant's share of a tally.
type VariantCounts struct {
	Variant string
	Rows    []Row // sorted by hour
}

// Row counts the exposures of a variant that mature in one hour. A customer who
// came from another partition can make a number negative; the sum over all is not.
type Row struct {
	Hour        int64 // the full UTC hour since 1970 from which they have matured; 0: not known yet
	Exposures   int64
	Conversions int64 // of those
}

// add adds to a row and drops it when nothing is left.
func (v *VariantCounts) add(hour int64, exposures, conversions int) {
	i, found := slices.BinarySearchFunc(v.Rows, hour, func(r Row, h int64) int { return int(r.Hour - h) })
	if !found {
		v.Rows = slices.Insert(v.Rows, i, Row{Hour: hour})
	}
	r := &v.Rows[i]
	r.Exposures += int64(exposures)
	r.Conversions += int64(conversions)
	if r.Exposures == 0 && r.Conversions == 0 {
		v.Rows = slices.Delete(v.Rows, i, i+1)
	}
}

// add applies a change of the counts.
func (t *Counts) add(e *output.Exposure) {
	if e.At < t.From {
		return
	}
	if t.First == 0 && e.Exposed > 0 {
		t.First = e.At
	}
	if t.First != 0 && e.Hour > lastHour(t.First) {
		return // no look comes to it
	}
	i, found := slices.BinarySearchFunc(t.Variants, e.Variant, func(v VariantCounts, id string) int {
		return strings.Compare(v.Variant, id)
	})
	if !found {
		t.Variants = slices.Insert(t.Variants, i, VariantCounts{Variant: e.Variant})
	}
	t.Variants[i].add(e.Hour, e.Exposed, e.Converted)
}

// lastHour is the last hour at which an experiment is looked at, by its first exposure.
func lastHour(first int64) int64 { return (first + program.MaxExperiment) / unit.HourMillis }

// countsFormat is the version of stored tallies: their first byte.
const countsFormat = 1

// A stored tally, version 1: format byte; workspace, campaign, step; experiment; from,
// first; variants: name, rows: hour, exposures, conversions.
func (t *Counts) appendTo(b []byte) []byte {
	b = append(b, countsFormat)
	b = wire.AppendString(wire.AppendString(wire.AppendString(b, t.Workspace), t.Campaign), t.Step)
	b = wire.AppendFixed(b, t.Experiment)
	b = wire.AppendInt(wire.AppendInt(b, t.From), t.First)
	b = wire.AppendUint(b, uint64(len(t.Variants)))
	for _, v := range t.Variants {
		b = wire.AppendString(b, v.Variant)
		b = wire.AppendUint(b, uint64(len(v.Rows)))
		for _, r := range v.Rows {
			b = wire.AppendInt(wire.AppendInt(wire.AppendInt(b, r.Hour), r.Exposures), r.Conversions)
		}
	}
	return b
}

func decodeCounts(p []byte) (*Counts, error) {
	d := wire.NewDecoder(p)
	if f := d.Byte(); d.Err() == nil && f != countsFormat {
		return nil, fmt.Errorf("actors: tally: %w: format %d; this program reads format %d",
			wire.ErrCorrupt, f, countsFormat)
	}
	t := &Counts{
		Workspace: d.String(), Campaign: d.String(), Step: d.String(), Experiment: d.Fixed(),
		From: d.Int(), First: d.Int(),
	}
	for range d.Count(2) {
		v := VariantCounts{Variant: d.String()}
		for range d.Count(3) {
			v.Rows = append(v.Rows, Row{Hour: d.Int(), Exposures: d.Int(), Conversions: d.Int()})
		}
		t.Variants = append(t.Variants, v)
	}
	if err := d.Done(); err != nil {
		return nil, fmt.Errorf("actors: tally: %w", err)
	}
	return t, nil
}

// Key names an experiment.
type Key struct{ Workspace, Campaign, Step string }

// Key names the experiment that is counted.
func (t *Counts) Key() Key { return Key{t.Workspace, t.Campaign, t.Step} }

// clone is a copy that shares nothing.
func (t *Counts) clone() Counts {
	c := *t
	c.Variants = slices.Clone(t.Variants)
	for i := range c.Variants {
		c.Variants[i].Rows = slices.Clone(c.Variants[i].Rows)
	}
	return c
}
