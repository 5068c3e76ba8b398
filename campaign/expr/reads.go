package expr

import (
	celast "github.com/google/cel-go/common/ast"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
)

// reads says what an expression looks at. A trigger that watches its value evaluates it again only
// after a record that can have changed it.
type reads struct {
	// Profile is set for traits, tags, consents and the zone: what a record can change in the
	// profile. The id and the instant of creation never change.
	Profile bool
	// Zone is set for the time zone, which any event can change by its context.
	Zone bool
	// Clock is set for "now" and for counters with a window: the value can change without a
	// record.
	Clock bool
	// now is set for "now" itself.
	now bool
	// Record is set for "event", "trigger" and "chain": the value exists only while a record is
	// handled.
	Record bool
}

// see takes one node of the expression into account.
func (r *reads) see(x celast.Expr) {
	switch x.Kind() {
	case celast.IdentKind:
		switch x.AsIdent() {
		case "now":
			r.Clock, r.now = true, true
		case "event", "trigger", "chain":
			r.Record = true
		}
	case celast.SelectKind:
		of, name := x.AsSelect().Operand(), x.AsSelect().FieldName()
		if of.Kind() == celast.IdentKind && of.AsIdent() == "customer" && name != "id" && name != "created_at" {
			r.Profile, r.Zone = true, r.Zone || name == customer.TraitTimezone
		}
	case celast.CallKind:
		r.Profile = r.Profile || x.AsCall().FunctionName() == "tagged"
	default:
	}
}

// ChangedBy returns the names of the events after which the expression can have another value;
// names may repeat. Changes by time alone are those of its ValueClock. e may be nil, when the
// definition had an error.
func (e *Expr) ChangedBy() []string {
	if e == nil {
		return nil
	}
	var names []string
	if e.Reads.Profile {
		names = append(names, event.IdentifyName)
	}
	for _, ask := range e.Asks {
		names = append(names, ask.Event)
	}
	return names
}
