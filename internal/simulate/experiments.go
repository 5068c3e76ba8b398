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

// trials are the experiments of a simulation that look for a winner.
type trials struct {
	open []*trial // not decided yet, by campaign and in the order of the steps
	hour int64    // the last full hour that was looked at, or at which there was nothing to see
}

type trial struct {
	campaign, step string
	standing       *experiment.State
	noted          bool // that its shares block it
}

// add takes up the experiments of a document, which says p.
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

// parts are what the shards counted for an experiment.
func (s *Simulation) parts(t *trial) (all []experiment.Counts) {
	for _, shard := range s.shards {
		if counted, ok := shard.Tally(Workspace, t.campaign, t.step); ok {
			all = append(all, counted)
		}
	}
	return all
}

// nextLook is the first full hour, up to limit and before the next timer, at which the
// figures of an experiment change; 0 when there is none.
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

// look looks at the experiments at a full hour, as the control actor does, and makes
// known what is decided.
func (s *Simulation) look(hour int64) error {
	s.now, s.trials.hour = max(s.now, hour*unit.HourMillis), hour
	var outs []output.Output
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
