package machine

import (
	"bytes"
	"slices"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/program"
)

// profileChanged says whether traits or tags are others than when triggers last looked.
func (ts *triggers) profileChanged() bool {
	return !bytes.Equal(ts.seenTraits, ts.c.Traits) || !slices.Equal(ts.seenTags, ts.c.Tags)
}

// notedProfile notes the profile that triggers have looked at.
func (ts *triggers) notedProfile() { ts.seenTraits, ts.seenTags = ts.c.Traits, ts.c.Tags }

// lastTraits are the traits that triggers have looked at.
func (ts *triggers) lastTraits() []byte { return ts.seenTraits }

// askChanged asks the triggers that watch the profile once; changed says whether there was
// something to ask them.
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

// change fires a change trigger with the old and the new value as the properties of its
// trigger event.
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
