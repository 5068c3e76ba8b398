package machine

import (
	"bytes"
	"slices"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/program"
)

// maxFollows bounds how often the profile may change again through the chains that a
// change of it started.
const maxFollows = 8

// occasion is what had a step run.
type occasion struct {
	planned int64 // when the step was due, ms; 0: now
	late    bool  // it ran more than lateAfter later
}

// profileChanged says whether traits or tags are others than when triggers last looked.
func (m *Machine) profileChanged() bool {
	return !bytes.Equal(m.seenTraits, m.c.Traits) || !slices.Equal(m.seenTags, m.c.Tags)
}

// notedProfile notes the profile that triggers have looked at.
func (m *Machine) notedProfile() { m.seenTraits, m.seenTags = m.c.Traits, m.c.Tags }

// lastTraits are the traits that triggers have looked at.
func (m *Machine) lastTraits() []byte { return m.seenTraits }

// followProfile lets the triggers that watch the profile see what steps changed in it;
// e is the current record, nil for a timer. What they start was due when the step was,
// whichever timers fired since.
func (m *Machine) followProfile(e *event.Event) {
	for range maxFollows {
		if !m.askChanged(e) {
			return
		}
		m.cause = cause{}
		m.rest()
	}
}

// askChanged asks the triggers that watch the profile once; changed says whether there was
// something to ask them.
func (m *Machine) askChanged(e *event.Event) (changed bool) {
	if len(m.set.Triggers[event.IdentifyName]) == 0 || !m.profileChanged() {
		return false
	}
	traits, tags := m.c.Traits, m.c.Tags
	m.c.Traits, m.c.Tags = m.seenTraits, m.seenTags
	m.scope.Customer.Set(m.c)
	m.scope.Chain.Chain = nil
	watch := m.set.TriggersOn(event.IdentifyName, false)
	m.observeBefore(watch, false)
	m.c.Traits, m.c.Tags = traits, tags
	m.scope.Customer.Set(m.c)
	m.planned, m.late = m.changed.planned, m.changed.late
	for _, at := range m.concerned(watch, false) {
		if p := watch.Programs[at]; p.Trigger.OnProfile() {
			m.trigger(p, e)
		}
	}
	m.notedProfile()
	return true
}

// change fires a change trigger with the old and the new value as the properties of its
// trigger event.
func (m *Machine) change(p *program.Program, t *program.ChangeTrigger, e *event.Event) {
	if bytes.Equal(m.seenTraits, m.c.Traits) {
		return
	}
	var before, after fastjson.Parser
	from, to := atPath(&before, m.seenTraits, t.Path), atPath(&after, m.c.Traits, t.Path)
	if from == nil && to == nil || jsonvalue.Equal(from, to) || !t.From.Is(from) || !t.To.Is(to) {
		return
	}
	trigger := event.Event{Type: event.Identify, Name: event.IdentifyName, Time: m.now}
	if e != nil {
		trigger = *e
	}
	b := []byte(`{"from":`)
	b = append(appendOrNull(b, from), `,"to":`...)
	trigger.Properties = append(appendOrNull(b, to), '}')
	m.scope.Trigger.Set(&trigger)
	m.tryEnter(p, &trigger)
}

// atPath is the value at a path of a JSON object; nil when it is missing or null.
func atPath(parser *fastjson.Parser, object []byte, path []string) *fastjson.Value {
	if len(object) == 0 {
		return nil
	}
	v, err := parser.ParseBytes(object)
	if err != nil {
		return nil
	}
	if v = v.Get(path...); v == nil || v.Type() == fastjson.TypeNull {
		return nil
	}
	return v
}

func appendOrNull(b []byte, v *fastjson.Value) []byte {
	if v == nil {
		return append(b, "null"...)
	}
	return jsonvalue.AppendCanonical(b, v)
}
