package machine

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/clip"
)

// Limits of what steps make.
const (
	maxEmittedDepth  = 8        // an event of an event of an event ... (design R15)
	maxEmittedEvents = 256      // records that one record of the log leads to
	maxEmitted       = 16 << 10 // bytes of the properties of one event
	startEvent       = "$start" // name of the trigger event of a chain that a step started
)

// emitted is a record that a step made of the current record; it is applied after it.
type emitted struct {
	event    event.Event
	campaign string // that a start step names; empty for an emitted event
	depth    int    // 1 for what a record of the log or a timer leads to
}

// emit puts an event behind the current record.
func (m *Machine) emit(v *program.Emit, ch *customer.Chain) {
	properties := m.object(v.Properties, ch)
	if len(properties) > maxEmitted {
		m.decideChain(ch, output.Erred, output.ReasonTooLarge, ch.Step, v.Event)
		return
	}
	m.put(ch, output.Emitted, v.Event, emitted{event: event.Event{Name: v.Event, Properties: properties}})
}

// start puts the start of another campaign's chain behind the current record. Its
// trigger has the properties of the trigger of this chain.
func (m *Machine) start(v *program.Start, ch *customer.Chain) {
	e := event.Event{Name: startEvent}
	if t := m.scope.Trigger.Event; t != nil {
		e.Properties, e.Context = t.Properties, t.Context
	}
	m.put(ch, output.Started, v.Campaign, emitted{event: e, campaign: v.Campaign})
}

// put completes a derived record and puts it behind the current record, within the
// limits.
func (m *Machine) put(ch *customer.Chain, kind output.Kind, detail string, d emitted) {
	d.depth = m.depth + 1
	switch {
	case d.depth > maxEmittedDepth:
		m.decideChain(ch, output.Dropped, output.ReasonDepth, ch.Step, detail)
		return
	case m.made >= maxEmittedEvents:
		m.decideChain(ch, output.Dropped, output.ReasonTooManyMade, ch.Step, detail)
		return
	}
	m.made++
	chain := ch.ID(m.c)
	d.event.ID = output.NewID("derived", string(chain[:]), ch.Step, strconv.Itoa(int(ch.BackJumps))).String()
	d.event.Workspace, d.event.Customer, d.event.Type, d.event.Time = m.c.Workspace, m.c.ID, event.Track, m.now
	m.emitted = append(m.emitted, d)
	m.decideChain(ch, kind, output.NoReason, ch.Step, detail)
}

// Hold has the timers due at or before mark wait, ms; 0: none wait. Where the first timer of
// a customer does, all of theirs do: what their steps make comes before them then.
func (m *Machine) Hold(mark int64) { m.holdMark = mark }

// held says whether the timers of the current customer wait.
func (m *Machine) held() bool {
	due := m.c.NextDue()
	return due != 0 && due <= m.holdMark
}

// nextEmitted takes the record that was made first.
func (m *Machine) nextEmitted() (d emitted, ok bool) {
	if len(m.emitted) == 0 {
		m.emitted, m.made = nil, 0
		return emitted{}, false
	}
	d, m.emitted = m.emitted[0], m.emitted[1:]
	return d, true
}

// hasEmitted says whether a record that was made is not applied yet.
func (m *Machine) hasEmitted() bool { return len(m.emitted) > 0 }

// applyEmitted applies what the current record led to, in the order made, each after the
// timers that are due by now. It is called at the end of each record and timer.
func (m *Machine) applyEmitted(out *output.Output) {
	if m.deriving {
		return
	}
	m.deriving = true
	for {
		d, ok := m.nextEmitted()
		if !ok {
			break
		}
		m.depth = 0
		if !m.held() {
			m.Fire(m.c, m.now, m.now, out)
		}
		m.depth = d.depth
		if d.campaign == "" {
			m.Apply(m.c, &d.event, m.now, false, out)
			continue
		}
		m.begin(m.c, m.now, out)
		if m.eventID = d.event.ID; m.trace != nil {
			m.recorded(&d.event)
		}
		m.scope.Event.Set(&d.event)
		m.scope.Trigger.Set(&d.event)
		if p := m.set.ByName[d.campaign]; p != nil {
			m.enterIfAllowed(m.entry(p, &d.event))
		} else {
			m.decide(output.Decision{Campaign: d.campaign, Kind: output.Refused, Reason: output.ReasonNoCampaign})
		}
		m.rest()
		m.followProfile(&d.event)
	}
	m.deriving, m.depth = false, 0
}

// setProfile changes traits and tags at once: the next step sees it.
func (m *Machine) setProfile(v *program.SetProfile, ch *customer.Chain) {
	traits, tags := m.c.Traits, m.c.Tags
	if len(v.Traits) > 0 {
		update := m.object(v.Traits, ch)
		if m.changeTraits(update) {
			m.stampTraits(update, m.now)
		}
	}
	for _, tag := range v.Add {
		m.c.Tag(tag)
	}
	for _, tag := range v.Remove {
		m.c.Untag(tag)
	}
	if !bytes.Equal(traits, m.c.Traits) || !slices.Equal(tags, m.c.Tags) {
		m.changed = occasion{m.planned, m.late}
	}
	m.decideChain(ch, output.Updated, output.NoReason, ch.Step, "")
}

// object evaluates assignments in the light of ch as a JSON object. A value that is
// missing is left out, one that fails too and is recorded.
func (m *Machine) object(assigns []program.Assign, ch *customer.Chain) []byte {
	b := []byte{'{'}
	for i := range assigns {
		a := &assigns[i]
		value := a.Literal
		if a.Expr != nil {
			v, missing, err := a.Expr.Eval(m.scope)
			if missing {
				continue
			}
			ok := err == nil
			if ok {
				value, ok = expr.AppendValue(nil, v, 0)
			}
			if !ok {
				detail := "no JSON value: " + a.Expr.Source
				if err != nil {
					detail = err.Error()
				}
				m.decideChain(ch, output.Erred, output.ReasonEvaluation, ch.Step, clip.Text(detail, 200))
				continue
			}
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(jsonvalue.AppendString(b, a.Name), ':'), value...)
	}
	return append(b, '}')
}
