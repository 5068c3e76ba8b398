package machine

import (
	"bytes"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/output"
)

// profile keeps what is known about the customer: traits, consent, the zone of their device, and
// the counters and windows that campaigns ask for. A record changes it before anything is asked
// about it.
type profile struct {
	*turn

	zones *zones

	// counters and specs are memory that is reused: the counters that may count the current event,
	// as places and as specs.
	counters []int32
	specs    []*active.CounterSpec // scratch: these counters
}

// traitSlack is by how much, in ms, an identify call may be older than the one that set a trait and
// still overwrite it: one minute, since clients' clocks differ.
const traitSlack = 60 * 1000

// stampTraits notes that the members of update were set at an event time (ms). Beyond the limit of
// stamps nothing more is noted: for such traits what arrives last holds.
func (pf *profile) stampTraits(update []byte, at int64) {
	c := pf.c
	c.DropStamps(pf.now)
	for _, name := range traitNames(update) {
		c.SetStamp(customer.TraitStamp{Trait: customer.TraitID(name), At: at, Seen: pf.now})
	}
}

// notOlder returns update without the members that a newer call has set: those whose stamp is
// more than traitSlack after at (ms). Calls arrive out of order; the last event time wins.
func (pf *profile) notOlder(update []byte, at int64) []byte {
	if len(pf.c.Stamps) == 0 {
		return update
	}
	return without(update, func(name string) bool {
		s := pf.c.Stamp(customer.TraitID(name), pf.now)
		return s != nil && at < s.At-traitSlack
	})
}

// setTraits lays traits over the customer's: null removes one, objects are merged. It reports whether it
// did; traits that would be larger than MaxTraits change nothing, and that is recorded.
func (pf *profile) setTraits(update []byte) bool {
	// Members whose value is null are removed, objects are merged member by member.
	merged := jsonvalue.Merge(pf.c.Traits, update)
	if len(merged) > customer.MaxTraits {
		pf.out.decide(
			output.Decision{
				Kind:   output.Erred,
				Reason: output.ReasonTraits,
				Detail: "the traits would be over 65536 bytes",
			},
		)
		return false
	}
	pf.c.Traits = merged
	pf.scope.Customer.Set(pf.c)
	// A zone that is wrong is recorded when it comes, and not only when a campaign needs it.
	if bytes.Contains(update, []byte(`"`+customer.TraitTimezone+`"`)) {
		pf.zoneName(pf.scope.Customer.Traits.Get(customer.TraitTimezone))
	}
	return true
}

// traitNames returns the names of a JSON object's members, sorted; none of what is no object.
func traitNames(object []byte) []string {
	v, err := fastjson.ParseBytes(object)
	if err != nil || v.Type() != fastjson.TypeObject {
		return nil
	}
	return jsonvalue.SortedKeys(v.GetObject())
}

// without returns a JSON object without the members for which dropped is true. The bytes stay the
// same when none is, so that nothing seems to have changed.
func without(object []byte, dropped func(name string) bool) []byte {
	v, err := fastjson.ParseBytes(object)
	if err != nil || v.Type() != fastjson.TypeObject {
		return object
	}
	o, some := v.GetObject(), false
	b := []byte{'{'}
	for _, name := range jsonvalue.SortedKeys(o) {
		if dropped(name) {
			some = true
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = jsonvalue.AppendCanonical(append(jsonvalue.AppendString(b, name), ':'), o.Get(name))
	}
	if !some {
		return object
	}
	return append(b, '}')
}

// zoneName reads the name of a time zone; ok is false when there is none. A value that is no zone is
// recorded, once for each value.
func (pf *profile) zoneName(v *fastjson.Value) (name string, ok bool) {
	if v == nil || v.Type() == fastjson.TypeNull {
		return "", false
	}
	if v.Type() == fastjson.TypeString {
		if name = string(v.GetStringBytes()); name == "" {
			return "", false
		}
		if pf.zones.loadZone(name) != nil {
			return name, true
		}
	} else {
		name = string(v.MarshalTo(nil))
	}
	pf.out.noteOnce(output.ReasonZone, "", name)
	return "", false
}
