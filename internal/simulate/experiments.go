package simulate

import (
	"strings"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/actors/shard/experiment"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/stream"
)

// trials has the experiments of a simulation that look for a winner.
type trials struct {
	// open has the experiments that are not decided, by campaign and in the order of their
	// steps.
	open []*trial
	// hour is the last full hour (since 1970) that was looked at, or up to which there was
	// nothing to see.
	hour int64
}

// trial is one experiment that looks for a winner.
type trial struct {
	campaign, step string
	// standing is the state of the decision, as the control actor keeps it.
	standing *experiment.State
	// noted is true once a decision row says that the shares of the variants block the
	// experiment.
	noted bool
}

// add adds the experiments of the document d, whose program is p, and keeps open in order.
// It compiles the document again, because a scenario may change programs before the shards
// see them.
func (t *trials) add(compile shard.Compile, d *program.Document, p *program.Program) error {
	some := false
	if p != nil {
		p.Experiments(func(string, *program.Experiment) { some = true })
	}
	if !some {
		return nil
	}
	// As the shards see it: a scenario may have changed it.
	parsed, err := compile(Workspace, d)
	if err != nil || parsed.Campaign == nil {
		return err
	}
	at := 0
	for at < len(t.open) && strings.Compare(t.open[at].campaign, d.Name) <= 0 {
		at++
	}
	var added []*trial
	parsed.Campaign.Experiments(func(step string, x *program.Experiment) {
		added = append(added, &trial{campaign: d.Name, step: step, standing: experiment.NewState(x)})
	})
	t.open = append(t.open[:at:at], append(added, t.open[at:]...)...)
	return nil
}

// parts returns the counts of an experiment, one for each shard that has any.
func (s *Simulation) parts(t *trial) (all []experiment.Counts) {
	for _, shard := range s.shards {
		if counted, ok := shard.Tally(Workspace, t.campaign, t.step); ok {
			all = append(all, counted)
		}
	}
	return all
}

// nextLook returns the first full hour, up to limit and before the timers that are due
// next, at which the figures of an experiment change; 0 where there is none. The clock
// stops there: without it, a look would be missed when it jumps from one timer to the next.
func (s *Simulation) nextLook(due, limit int64) (hour int64) {
	if due != 0 && due <= limit {
		limit = due - 1 // the timers of an instant come first
	}
	last := limit / unit.HourMillis
	if len(s.trials.open) == 0 || last <= s.trials.hour {
		return 0
	}
	for _, t := range s.trials.open {
		if next := t.standing.NextChange(s.parts(t), last); next > s.trials.hour && (hour == 0 || next < hour) {
			hour = next
		}
	}
	if hour == 0 {
		s.trials.hour = last
	}
	return hour
}

// look evaluates the experiments at a full hour, as the control actor does, and gives the
// shards the winners as control records.
func (s *Simulation) look(hour int64) error {
	s.now, s.trials.hour = max(s.now, hour*unit.HourMillis), hour
	var outs []output.Output
	// Keep those that remain undecided.
	open := s.trials.open
	s.trials.open = nil
	for _, t := range open {
		t.standing.Look(s.parts(t), hour, t.noted)
		d := t.standing.Record(Workspace, t.campaign, t.step, t.noted)
		if t.noted = t.noted || d != nil; d == nil || d.Variant == "" {
			s.trials.open = append(s.trials.open, t)
		}
		if d == nil {
			continue
		}
		s.control++
		// Every shard gets the record, as the control stream does it in production.
		record := control.Record{K: s.control, Decide: d}
		for p := range s.shards {
			out, err := s.step(p, stream.Record{Kind: stream.KindControl, Data: record.Encode()})
			if err != nil {
				return err
			}
			outs = append(outs, out)
		}
	}
	return s.hand(outs)
}
