package campaign

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/nudge-engine/nudge/internal/wire"
)

// HourMillis is one hour, ms: experiments are looked at when one is full.
const HourMillis = 3_600_000

// MaxExperiment is how long an experiment counts from its first exposure, ms.
const MaxExperiment = 10_000 * HourMillis

// Exposure is a change of what is counted for an experiment that looks for a winner.
type Exposure struct {
	Workspace  string
	Campaign   string
	Step       string
	Variant    string
	Experiment uint64 // Experiment.Print: what the counts can be compared with
	At         int64  // log time at which the chain was exposed, ms
	// Hour is the full UTC hour since 1970 from which the exposure has matured: always
	// after the log time of the change. 0 while that is not known.
	Hour      int64
	Exposed   int // 1, 0 or -1
	Converted int // 1, 0 or -1
}

// exposed is what a chain keeps of an exposure.
type exposed struct {
	step       string
	variant    string
	experiment uint64
	at         int64
	hour       int64
	converted  bool
}

// Print names what makes the counts of an experiment comparable: its variants and
// weights, its salt and its goal. Two experiments with the same print are the same.
func (x *Experiment) Print() uint64 { return x.print }

// fingerprint is the first 8 bytes, big-endian, of SHA-256 over the parts.
func (x *Experiment) fingerprint(p *Program) uint64 {
	text := fmt.Appendf(nil, "%q", x.Salt)
	if g := p.goal(x.Goal); g != nil {
		text = fmt.Appendf(text, "%q %q %q %q %d %t", g.ID, g.Match.Event, g.Match.Match, sourceOf(g.Match.Where),
			g.Window, g.FromDelivery)
	}
	for i := range x.Variants {
		text = fmt.Appendf(text, " %q %d", x.Variants[i].ID, x.Variants[i].Weight)
	}
	sum := sha256.Sum256(text)
	return binary.BigEndian.Uint64(sum[:8])
}

// Experiments calls f with each experiment that looks for a winner, in the order of the
// steps.
func (p *Program) Experiments(f func(step string, x *Experiment)) {
	for i := range p.Steps {
		if x, ok := p.Steps[i].Verb.(*Experiment); ok && x.Winner != nil && p.goal(x.Goal) != nil {
			f(p.Steps[i].ID, x)
		}
	}
}

// Version is that of a campaign in force, 0 when there is none.
func (s *Set) Version(campaign string) uint32 {
	if p := s.byName[campaign]; p != nil {
		return p.Version
	}
	return 0
}

// Counts is the experiment of a campaign in force that still looks for a winner, nil
// when there is none.
func (s *Set) Counts(campaign, step string) *Experiment {
	p := s.byName[campaign]
	if p == nil {
		return nil
	}
	at, _ := p.step(step)
	if at == nil {
		return nil
	}
	x, ok := at.Verb.(*Experiment)
	if !ok || x.Winner == nil || p.goal(x.Goal) == nil || x.Index(s.winner(campaign, step)) >= 0 {
		return nil
	}
	return x
}

// Counting calls f with each experiment of a campaign in force that still looks for a
// winner, in the order of the steps.
func (s *Set) Counting(campaign string, f func(step string, x *Experiment)) {
	p := s.byName[campaign]
	if p == nil {
		return
	}
	p.Experiments(func(step string, x *Experiment) {
		if s.Counts(campaign, step) != nil {
			f(step, x)
		}
	})
}

// expose counts a chain that took its variant by bucket, once.
func (m *Machine) expose(p *Program, ch *Chain, step string, variant string) {
	x := m.set.Counts(p.Name, step)
	if x == nil || ch.HeldOut || m.set.byName[p.Name] != p || ch.reached(x.Goal) || ch.exposure(step) != nil {
		return
	}
	ch.exposed = append(ch.exposed, exposed{
		step: step, variant: variant, experiment: x.print, at: m.now, hour: m.matures(ch, p.goal(x.Goal)),
	})
	m.tally(ch, &ch.exposed[len(ch.exposed)-1], 1, 0)
}

func (ch *Chain) exposure(step string) *exposed {
	for i := range ch.exposed {
		if ch.exposed[i].step == step {
			return &ch.exposed[i]
		}
	}
	return nil
}

// matures is the hour from which nothing about a goal of the chain is counted any more.
func (m *Machine) matures(ch *Chain, g *Goal) int64 {
	end, bounded := ch.windowEnd(g)
	switch {
	case bounded:
		return max(end, m.now)/HourMillis + 1
	case ch.live():
		return 0
	default:
		return m.now/HourMillis + 1
	}
}

// tally writes a change of the counts.
func (m *Machine) tally(ch *Chain, e *exposed, exposures, conversions int) {
	m.out.Exposures = append(m.out.Exposures, Exposure{
		Workspace: m.c.Workspace, Campaign: ch.Campaign, Step: e.step, Variant: e.variant, Experiment: e.experiment,
		At: e.at, Hour: e.hour, Exposed: exposures, Converted: conversions,
	})
}

// counted calls f with the exposures of a chain that have not matured, and with the goal
// that they wait for.
func (m *Machine) counted(ch *Chain, f func(e *exposed, g *Goal)) {
	if len(ch.exposed) == 0 {
		return
	}
	p := m.set.of(ch)
	if p == nil {
		return
	}
	for i := range ch.exposed {
		e := &ch.exposed[i]
		if e.hour != 0 && e.hour*HourMillis <= m.now || m.set.Counts(ch.Campaign, e.step) == nil {
			continue
		}
		s, _ := p.step(e.step)
		if s == nil {
			continue
		}
		if x, ok := s.Verb.(*Experiment); ok && x.print == e.experiment && p.goal(x.Goal) != nil {
			f(e, p.goal(x.Goal))
		}
	}
}

// rematures moves the exposures of a chain whose window moved: after a delivery, or at
// the end of the chain.
func (m *Machine) rematures(ch *Chain) {
	m.counted(ch, func(e *exposed, g *Goal) {
		hour := m.matures(ch, g)
		if hour == e.hour {
			return
		}
		converted := 0
		if e.converted {
			converted = 1
		}
		m.tally(ch, e, -1, -converted)
		e.hour = hour
		m.tally(ch, e, 1, converted)
	})
}

// convert counts that the chain reached a goal, or that this was taken back.
func (m *Machine) convert(ch *Chain, goal string, converted bool) {
	m.counted(ch, func(e *exposed, g *Goal) {
		switch {
		case g.ID != goal || e.converted == converted:
			return
		case converted:
			m.tally(ch, e, 0, 1)
		default:
			m.tally(ch, e, 0, -1)
		}
		e.converted = converted
	})
}

// exposedSection keeps what a chain counts for in experiments.
//
//nudge:constant read only
var exposedSection = section[*Chain]{
	tag: 36,
	has: func(ch *Chain) bool { return len(ch.exposed) > 0 },
	append: func(ch *Chain, b []byte) []byte {
		b = wire.AppendUint(b, uint64(len(ch.exposed)))
		for _, e := range ch.exposed {
			b = wire.AppendString(b, e.step)
			b = wire.AppendString(b, e.variant)
			b = wire.AppendFixed(b, e.experiment)
			b = wire.AppendInt(b, e.at)
			b = wire.AppendInt(b, e.hour)
			b = wire.AppendBool(b, e.converted)
		}
		return b
	},
	decode: func(ch *Chain, d *wire.Decoder, names Names) {
		for range d.Count(13) {
			ch.exposed = append(ch.exposed, exposed{
				step: names.of(d.Bytes()), variant: names.of(d.Bytes()), experiment: d.Fixed(), at: d.Int(),
				hour: d.Int(), converted: d.Bool(),
			})
		}
	},
}
