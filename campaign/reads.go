package campaign

import celast "github.com/google/cel-go/common/ast"

// reads says what an expression looks at, so that a trigger that watches its value
// asks again only after a record that can have changed it.
type reads struct {
	profile bool // traits, tags, zone: what a record can change in the profile
	zone    bool // the time zone, which any event can change by its context
	clock   bool // now, or a window: the value can change without a record
	now     bool // now itself
	record  bool // event, trigger or chain: a value that only a record gives
}

// see takes one node of the expression into account.
func (r *reads) see(x celast.Expr) {
	switch x.Kind() {
	case celast.IdentKind:
		switch x.AsIdent() {
		case "now":
			r.clock, r.now = true, true
		case "event", "trigger", "chain":
			r.record = true
		}
	case celast.SelectKind:
		of, name := x.AsSelect().Operand(), x.AsSelect().FieldName()
		if of.Kind() == celast.IdentKind && of.AsIdent() == "customer" && name != "id" && name != "created_at" {
			r.profile, r.zone = true, r.zone || name == traitZone
		}
	case celast.CallKind:
		r.profile = r.profile || x.AsCall().FunctionName() == "tagged"
	default:
	}
}

// changedBy are the names of the events after which the expression can have another value:
// what changes it without one is its clock. e is nil when the definition had an error.
func (e *Expr) changedBy() []string {
	if e == nil {
		return nil
	}
	var names []string
	if e.reads.profile {
		names = append(names, identifyName)
	}
	for _, ask := range e.asks {
		names = append(names, ask.event)
	}
	return names
}
