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

// Counts is what one shard counted for one experiment. Its rows up to the hour of the
// shard's log time are final, so the counts at an hour are the same no matter who reads
// them, and when.
type Counts struct {
	Workspace  string
	Campaign   string
	Step       string
	Experiment uint64 // fingerprint of the experiment (program.Experiment.Print)
	// From is the log time, ms, from which it counts. Chains exposed earlier belong to an
	// experiment that was there before under the same name. 0: from the beginning of the
	// log.
	From     int64
	First    int64           // log time of the first exposure, ms; 0 before it
	Variants []VariantCounts // sorted by variant
}

// VariantCounts is one variant's part of the counts.
type VariantCounts struct {
	Variant string
	Rows    []Row // sorted by hour
}

// Row counts the exposures of a variant that mature at one hour, and the conversions
// among them. A chain that was counted in another partition before its customer merged is
// taken away here, so a number may be negative; the sum over all partitions is not.
type Row struct {
	Hour        int64 // hours since 1970 UTC at which they have matured; 0: not known yet
	Exposures   int64
	Conversions int64 // of those exposures
}

// add adds to the row of an hour, and removes it when it counts nothing any more.
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

// add applies an exposure, a conversion, or the withdrawal of one.
func (t *Counts) add(e *output.Exposure) {
	// The chain belongs to an earlier experiment of the same name.
	if e.At < t.From {
		return
	}
	if t.First == 0 && e.Exposed > 0 {
		t.First = e.At
	}
	if t.First != 0 && e.Hour > lastHour(t.First) {
		// The experiment is over by then: no look comes to this hour.
		return
	}
	i, found := slices.BinarySearchFunc(t.Variants, e.Variant, func(v VariantCounts, id string) int {
		return strings.Compare(v.Variant, id)
	})
	if !found {
		t.Variants = slices.Insert(t.Variants, i, VariantCounts{Variant: e.Variant})
	}
	t.Variants[i].add(e.Hour, e.Exposed, e.Converted)
}

// lastHour returns the last hour at which an experiment is looked at; first is the log
// time of its first exposure, ms.
func lastHour(first int64) int64 { return (first + program.MaxExperiment) / unit.HourMillis }

// countsFormat is the version of the stored form, its first byte.
const countsFormat = 1

// appendTo appends the stored form, version 1: format byte; workspace, campaign, step;
// experiment; from, first; variants: name, rows: hour, exposures, conversions.
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

// decodeCounts decodes what appendTo wrote. Errors are of class wire.ErrCorrupt.
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

// Key names an experiment: a step of a campaign.
type Key struct{ Workspace, Campaign, Step string }

// Key returns the name of the experiment that is counted.
func (t *Counts) Key() Key { return Key{t.Workspace, t.Campaign, t.Step} }

// clone returns a copy that shares no memory with t.
func (t *Counts) clone() Counts {
	c := *t
	c.Variants = slices.Clone(t.Variants)
	for i := range c.Variants {
		c.Variants[i].Rows = slices.Clone(c.Variants[i].Rows)
	}
	return c
}
