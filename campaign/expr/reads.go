package expr

import (
	celast "github.com/google/cel-go/common/ast"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
)

// reads says what an expression looks at, so that a trigger that watches its value
// asks again only after a record that can have changed it.
type reads struct {
	Profile bool // traits, tags, zone: what a record can change in the profile
	Zone    bool // the time zone, which any event can change by its context
	Clock   bool // now, or a window: the value can change without a record
	now     bool // now itself
	Record  bool // event, trigger or chain: a value that only a record gives
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

// ChangedBy are the names of the events after which the expression can have another value:
// what changes it without one is its clock. e is nil when the definition had an error.
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
