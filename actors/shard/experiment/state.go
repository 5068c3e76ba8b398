package experiment

import (
	"slices"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/campaign/winner"
)

// State is how an experiment stands: its figures, and whether it is decided. Make it with
// NewState and advance it with Look, hour by hour in order. It is not safe for concurrent
// use.
type State struct {
	Verdict winner.Verdict
	Winner  string // id of the winning variant, once decided
	control.ExperimentStats
	First   int64 // log time of the first exposure over all shards, ms; 0 before it
	Exposed []int // exposures by variant, matured or not
	Looks   int   // how many looks there were
	// Next is how many matured exposures the next look needs; 0 means that it comes when
	// all variants have the minimum.
	Next int

	x     *program.Experiment
	hour  int64           // the last hour that was looked at
	raw   []Row           // sums by variant up to that hour; a number may be negative
	arms  []winner.Arm    // the same as figures for the rule, never negative
	state winner.State    // of the rule: its looks so far
	last  winner.Decision // last decision of the rule that was not to wait
}

// NewState returns the state of an experiment before its first look.
func NewState(x *program.Experiment) *State {
	s := &State{
		ExperimentStats: control.ExperimentStats{Experiment: x.Print()}, Exposed: make([]int, len(x.Variants)), x: x,
		raw: make([]Row, len(x.Variants)), arms: make([]winner.Arm, len(x.Variants)),
	}
	for i := range s.arms {
		s.arms[i].Weight = x.Variants[i].Weight
	}
	return s
}

// Look adds up what the shards counted (parts) and goes through the hours up to through
// that it has not seen yet, applying the winner's rule at each at which something
// changes.
//
// The result is a function of the experiment and the parts: it does not matter whether it
// got there in one call or many, nor in which order the parts come; parts of other
// experiments are ignored. It stops where there is something to record, at a decision, or
// at a block while noted is false (no block was recorded yet), so that the records are
// the same however late somebody looks.
//
// REQUIRES: the log time of every partition is at or after the hour through.
func (s *State) Look(parts []Counts, through int64, noted bool) {
	rows := s.merge(parts)
	for _, hour := range s.changes(rows) {
		if hour > through || s.Verdict == winner.Decided || s.Verdict == winner.Blocked && !noted {
			break
		}
		if hour <= s.hour {
			continue
		}
		for len(rows) > 0 && rows[0].Hour <= hour {
			if r := rows[0]; r.Hour > s.hour {
				s.raw[r.arm].Exposures += r.Exposures
				s.raw[r.arm].Conversions += r.Conversions
			}
			rows = rows[1:]
		}
		s.hour = hour
		s.decide()
	}
	s.Looks, s.Next, s.Mismatch = s.state.Looks, 2*s.state.Total, winner.Mismatch(s.arms)
	s.ExperimentStats.Look, s.Needed = s.Looks, s.last.Needed
	s.figures()
}

// decide applies the winner's rule (winner.Decide) at the hour s.hour.
func (s *State) decide() {
	// While the state of a merged customer is on its way between partitions, a sum can be
	// negative or have more conversions than exposures.
	for i := range s.arms {
		s.arms[i].Exposures = int(max(s.raw[i].Exposures, 0))
		s.arms[i].Conversions = int(max(min(s.raw[i].Conversions, s.raw[i].Exposures), 0))
	}
	var d winner.Decision
	d, s.state = winner.Decide(s.x.Winner, s.hour*unit.HourMillis, s.First, s.arms, s.state)
	if d.Verdict == winner.Wait {
		return
	}
	s.last, s.Verdict, s.Hour = d, d.Verdict, s.hour
	switch s.Reason = output.NoReason; {
	case d.Verdict == winner.Blocked:
		s.Reason = output.ReasonRatio
	case d.Verdict == winner.Decided && d.Needed == 0:
		s.Winner, s.Reason = s.x.Variants[d.Winner].ID, output.ReasonDeadline
	case d.Verdict == winner.Decided:
		s.Winner, s.Reason = s.x.Variants[d.Winner].ID, output.ReasonConfidence
	}
}

// figures fills in the figures of each variant at the last hour, for people.
func (s *State) figures() {
	s.Arms = s.Arms[:0]
	for i, a := range s.arms {
		f := control.ArmFigures{
			Variant: s.x.Variants[i].ID, Weight: a.Weight, Exposures: a.Exposures, Conversions: a.Conversions,
		}
		if s.Verdict == winner.Decided {
			f.Best = s.last.Best[i]
		}
		s.Arms = append(s.Arms, f)
	}
}

// Best returns for each variant the probability that it is the best, as of the last hour.
func (s *State) Best() []float64 { return winner.Best(s.arms) }

// armRow is a row with the index of its variant.
type armRow struct {
	Row
	arm int
}

// merge brings First and Exposed up to date from the parts and returns the rows of all of
// them, sorted by hour. Variants that the experiment does not have are ignored.
func (s *State) merge(parts []Counts) (rows []armRow) {
	clear(s.Exposed)
	for p := range parts {
		t := &parts[p]
		if t.Experiment != s.Experiment {
			continue
		}
		if t.First != 0 && (s.First == 0 || t.First < s.First) {
			s.First = t.First
		}
		for _, v := range t.Variants {
			arm := s.x.Index(v.Variant)
			if arm < 0 {
				continue
			}
			for _, r := range v.Rows {
				s.Exposed[arm] += int(r.Exposures)
				if r.Hour != 0 {
					rows = append(rows, armRow{r, arm})
				}
			}
		}
	}
	// Equal hours need no order: they are added up.
	slices.SortFunc(rows, func(a, b armRow) int { return int(a.Hour - b.Hour) })
	return rows
}

// changes returns the hours, sorted, at which the figures change or the rule may decide
// because of time alone (min_time, deadline).
func (s *State) changes(rows []armRow) []int64 {
	if s.First == 0 {
		return nil
	}
	// min_time is more than 0: these are after the first exposure's own instant, at which
	// it may not be known yet.
	all := []int64{fullHour(s.First + s.x.Winner.MinTime)}
	if s.x.Winner.Deadline != 0 {
		all = append(all, fullHour(s.First+s.x.Winner.Deadline))
	}
	for _, r := range rows {
		all = append(all, r.Hour)
	}
	slices.Sort(all)
	end := lastHour(s.First)
	return slices.DeleteFunc(slices.Compact(all), func(h int64) bool { return h > end })
}

// NextChange returns the first hour after the last that was looked at, up to through, at
// which the figures change; 0 if there is none. At no hour in between can anything be
// decided. The virtual clock of a simulation stops there.
func (s *State) NextChange(parts []Counts, through int64) int64 {
	for _, hour := range s.changes(s.merge(parts)) {
		if hour > s.hour && hour <= through {
			return hour
		}
	}
	return 0
}

// fullHour returns the first full hour, in hours since 1970, at or after an instant (ms).
func fullHour(at int64) int64 { return (at + unit.HourMillis - 1) / unit.HourMillis }

// Record returns the control record that the state calls for, nil if there is nothing to
// record. A block is recorded once: noted says that it was.
func (s *State) Record(workspace, name, step string, noted bool) *control.Decide {
	if s.Verdict != winner.Decided && (s.Verdict != winner.Blocked || noted) {
		return nil
	}
	return &control.Decide{
		Workspace: workspace, ExperimentStats: s.ExperimentStats,
		Winner: active.Winner{Campaign: name, Step: step, Variant: s.Winner},
	}
}
