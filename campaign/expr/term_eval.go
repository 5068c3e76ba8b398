package expr

import (
	"math"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/traits"
	"github.com/valyala/fastjson"
)

// verdict is what evaluating a term without CEL tells about it.
type verdict uint8

const (
	// unknown: CEL has to evaluate the term, and may fail.
	unknown verdict = iota
	// calm: CEL has to evaluate the term, and fails only if a value is missing.
	calm
	// no: the term is false.
	no
	// yes: the term is true.
	yes
	// absent: the value that the term looks at is missing.
	absent
)

// quick answers a predicate from its terms, where they say enough; sure is false when CEL has to
// evaluate it. One term that is false makes the whole false, whatever the others do. So does a
// missing value, unless a term before it may fail in another way, which would be recorded as an
// error, or one after it may exceed the limit of work. For example, event.properties.total > 10 &&
// customer.traits.vip == true needs no CEL at all.
func (e *Expr) quick(s *Scope) (holds, sure bool) {
	silent, all := e.terms.bounded, e.terms.bounded
	for i := range e.terms.all {
		switch e.terms.all[i].ask(s) {
		case no:
			return false, true
		case absent:
			if silent {
				return false, true
			}
			all = false
		case unknown:
			silent, all = false, false
		case calm:
			all = false
		case yes:
		}
	}
	return true, all && len(e.terms.all) > 0
}

// ask evaluates one term as CEL would, or says that CEL has to.
func (t *conjunct) ask(s *Scope) verdict {
	switch {
	case t.kind == termOther:
		return unknown
	case t.kind == termQuiet:
		return calm
	case t.field.of == ofTags:
		return verdictOf(s.Customer.Customer.Tagged(t.field.name))
	case t.field.of == ofCounter:
		return t.askNumber(float64(s.count(t.field.name)))
	}
	v := s.at(t.field)
	if t.kind == termHas {
		return verdictOf(v != nil)
	}
	if v == nil {
		return absent
	}
	if v.Type() == fastjson.TypeNumber {
		if n, whole := wideInt(v); whole {
			return t.askWide(types.Int(n))
		}
		return t.askNumber(v.GetFloat64())
	}
	if v.Type() == fastjson.TypeString {
		return t.askText(v.GetStringBytes())
	}
	if t.ranges() {
		return unknown
	}
	same := false
	switch lit := t.literals[0].(type) {
	case types.Bool:
		same = bool(lit) && v.Type() == fastjson.TypeTrue || !bool(lit) && v.Type() == fastjson.TypeFalse
	case types.Null:
		same = v.Type() == fastjson.TypeNull
	}
	return verdictOf(same != (t.kind == termDiffers))
}

// wideInt returns the whole numbers that celJSON keeps as integers because a double does not hold
// them exactly, those beyond 2^53; ok is false for all others.
func wideInt(v *fastjson.Value) (int64, bool) {
	if f := v.GetFloat64(); f < 1<<53 && f > -1<<53 {
		return 0, false // the common case, without an error to allocate for a fraction
	}
	n, err := v.Int64()
	return n, err == nil && (n > 1<<53 || n < -1<<53)
}

// askNumber evaluates the term for a number that a double holds.
func (t *conjunct) askNumber(v float64) verdict {
	if t.ranges() {
		lit, ok := numberOf(t.literals[0])
		if !ok || math.IsNaN(v) {
			return unknown // CEL fails
		}
		return verdictOf(t.kind == termLess && v < lit || t.kind == termAtMost && v <= lit ||
			t.kind == termMore && v > lit || t.kind == termAtLeast && v >= lit)
	}
	same := false
	for _, l := range t.literals {
		lit, ok := numberOf(l)
		same = same || ok && lit == v
	}
	return verdictOf(same != (t.kind == termDiffers))
}

// askWide evaluates the term for a whole number beyond 2^53, by CEL's own comparison: converting it
// to a double could make different ids equal.
func (t *conjunct) askWide(v types.Int) verdict {
	if t.kind == termIn {
		return unknown // CEL looks it up in a set, which is not quite the same as ==
	}
	if !t.ranges() {
		return verdictOf((types.Equal(v, t.literals[0]) == types.True) != (t.kind == termDiffers))
	}
	if _, number := numberOf(t.literals[0]); !number {
		return unknown
	}
	order, ok := traits.Comparer(v).Compare(t.literals[0]).(types.Int)
	if !ok {
		return unknown
	}
	return t.inOrder(int(order))
}

// askText evaluates the term for a text. Texts are ordered by their bytes, as in CEL.
func (t *conjunct) askText(v []byte) verdict {
	if t.ranges() {
		lit, ok := t.literals[0].(types.String)
		if !ok {
			return unknown
		}
		switch {
		case string(v) < string(lit):
			return t.inOrder(-1)
		case string(v) > string(lit):
			return t.inOrder(1)
		}
		return t.inOrder(0)
	}
	same := false
	for _, l := range t.literals {
		lit, ok := l.(types.String)
		same = same || ok && string(lit) == string(v)
	}
	return verdictOf(same != (t.kind == termDiffers))
}

// inOrder says whether a range holds a value that is less (-1), equal (0) or greater (1) than its
// literal.
func (t *conjunct) inOrder(order int) verdict {
	return verdictOf(t.kind == termLess && order < 0 || t.kind == termAtMost && order <= 0 ||
		t.kind == termMore && order > 0 || t.kind == termAtLeast && order >= 0)
}

// verdictOf turns a known answer into a verdict.
func verdictOf(is bool) verdict {
	if is {
		return yes
	}
	return no
}

// at returns the JSON value of a field, nil when it is missing.
func (s *Scope) at(p fieldRef) *fastjson.Value {
	if o := s.members(p.of); o != nil {
		return o.Get(p.name)
	}
	return nil
}

// members returns the JSON object that has the values of a source, nil when there is none. Tags and
// counters are no JSON objects.
func (s *Scope) members(of source) *fastjson.Object {
	switch {
	case of == ofTraits:
		return s.Customer.Traits.Object()
	case s.Event.Event == nil:
		return nil
	case of == ofProperties:
		return s.Event.Props.Object()
	case of == ofContext:
		return s.Event.Context.Object()
	}
	return nil
}

// count returns how many events the counter counted; 0 also for one that does not exist yet.
func (s *Scope) count(id string) uint64 {
	if c := s.Customer.Customer.Counter(id); c != nil {
		return c.Count
	}
	return 0
}
