package machine

import (
	"bytes"
	"slices"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/program"
)

// profileChanged reports whether traits or tags differ from those that the triggers looked at last.
func (ts *triggers) profileChanged() bool {
	return !bytes.Equal(ts.seenTraits, ts.c.Traits) || !slices.Equal(ts.seenTags, ts.c.Tags)
}

// notedProfile notes that triggers have looked at the present profile. It keeps the slices without a
// copy: traits and tags are replaced when they change, never changed in place.
func (ts *triggers) notedProfile() { ts.seenTraits, ts.seenTags = ts.c.Traits, ts.c.Tags }

// lastTraits returns the traits that the triggers looked at last.
func (ts *triggers) lastTraits() []byte { return ts.seenTraits }

// askChanged asks the triggers that watch the profile about what changed since they last looked; it
// reports whether there was something to ask them.
//
// The customer gets the old profile for a moment, so that values are measured before the change.
// Then the triggers compare them with the values after it, as they do for a record.
func (ts *triggers) askChanged(e *event.Event) (changed bool) {
	if len(ts.set.Triggers[event.IdentifyName]) == 0 || !ts.profileChanged() {
		return false
	}
	traits, tags := ts.c.Traits, ts.c.Tags
	ts.c.Traits, ts.c.Tags = ts.seenTraits, ts.seenTags
	ts.scope.Customer.Set(ts.c)
	ts.scope.Chain.Chain = nil
	watch := ts.set.TriggersOn(event.IdentifyName, false)
	ts.observeBefore(watch, false)
	ts.c.Traits, ts.c.Tags = traits, tags
	ts.scope.Customer.Set(ts.c)
	ts.planned, ts.late = ts.changed.planned, ts.changed.late
	for _, at := range ts.concerned(watch, false) {
		if p := watch.Programs[at]; p.Trigger.OnProfile() {
			ts.evaluate(p, e)
		}
	}
	ts.notedProfile()
	return true
}

// change lets the customer enter by a change trigger if the trait at its path has changed, from a
// value that the trigger's "from" allows to one that its "to" allows. The trigger event has these
// two values as its properties "from" and "to", null where the trait is missing.
func (ts *triggers) change(p *program.Program, t *program.ChangeTrigger, e *event.Event) {
	if bytes.Equal(ts.seenTraits, ts.c.Traits) {
		return
	}
	var before, after fastjson.Parser
	from, to := atPath(&before, ts.seenTraits, t.Path), atPath(&after, ts.c.Traits, t.Path)
	if from == nil && to == nil || jsonvalue.Equal(from, to) || !t.From.Is(from) || !t.To.Is(to) {
		return
	}
	trigger := event.Event{Type: event.Identify, Name: event.IdentifyName, Time: ts.now}
	if e != nil {
		trigger = *e
	}
	b := []byte(`{"from":`)
	b = append(appendOrNull(b, from), `,"to":`...)
	trigger.Properties = append(appendOrNull(b, to), '}')
	ts.scope.Trigger.Set(&trigger)
	ts.entries.tryEnter(p, &trigger)
}

// atPath returns the value at a path of a JSON object, nil when it is missing or null. The value is
// valid until the parser is used again.
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

// appendOrNull appends v as canonical JSON, null when it is nil.
func appendOrNull(b []byte, v *fastjson.Value) []byte {
	if v == nil {
		return append(b, "null"...)
	}
	return jsonvalue.AppendCanonical(b, v)
}
