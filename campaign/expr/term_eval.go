package expr

import (
	"math"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/traits"
	"github.com/valyala/fastjson"
)

// verdict is what is known of a term without CEL.
type verdict uint8

const (
	unknown verdict = iota // CEL has to be asked; it may fail
	calm                   // CEL has to be asked; it fails for a missing value at most
	no
	yes
	absent // the value is missing
)

// quick answers a predicate from its terms, where they say enough; sure is false when
// CEL has to be asked. One term that is false makes the whole false, whatever the
// others do. A missing value does too, unless a term before it fails in another way,
// which would be recorded, or one behind it exceeds the cost limit.
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

// ask evaluates one term.
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

// wideInt is a whole number that celJSON keeps whole, since no double holds it.
func wideInt(v *fastjson.Value) (int64, bool) {
	if f := v.GetFloat64(); f < 1<<53 && f > -1<<53 {
		return 0, false // the common case, without an error to allocate for a fraction
	}
	n, err := v.Int64()
	return n, err == nil && (n > 1<<53 || n < -1<<53)
}

// askNumber compares a double.
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

// askWide compares a whole number beyond 2^53 as CEL does.
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

// inOrder says whether a value that is less (-1), equal (0) or more (1) is in range.
func (t *conjunct) inOrder(order int) verdict {
	return verdictOf(t.kind == termLess && order < 0 || t.kind == termAtMost && order <= 0 ||
		t.kind == termMore && order > 0 || t.kind == termAtLeast && order >= 0)
}

func verdictOf(is bool) verdict {
	if is {
		return yes
	}
	return no
}

// at is the JSON value of a place, nil when it is missing.
func (s *Scope) at(p fieldRef) *fastjson.Value {
	if o := s.members(p.of); o != nil {
		return o.Get(p.name)
	}
	return nil
}

// members is the JSON object in which the values of a source are, nil when there is none.
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

// count is what a counter of the customer counted.
func (s *Scope) count(id string) uint64 {
	if c := s.Customer.Customer.Counter(id); c != nil {
		return c.Count
	}
	return 0
}
