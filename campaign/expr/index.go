package expr

import (
	"slices"

	"github.com/google/cel-go/common/types"
	"github.com/valyala/fastjson"
)

// Index finds, among the predicates of all campaigns, those that may hold for an event and a
// customer, or whose evaluation may end with an error. The others need not be evaluated.
// Each is filed under one of its terms: the one that fewest others share. For example, event.properties.sku == "A1" &&
// event.properties.total > 5 is found by the text "A1" of sku. It is immutable after Build and safe
// for concurrent use.
type Index struct {
	// Unindexed are the members without a term to find them by; Find returns them always.
	Unindexed []int32
	// by has the indexes of each source.
	by [sources]placeIndexes
	// loose are the places with members that are asked also when the value is missing.
	loose []*placeIndex
}

// placeIndexes are the fields of one source by which members are found. all has the order of their
// making, so that the results do not depend on the order of a map.
type placeIndexes struct {
	all  []*placeIndex
	name map[string]*placeIndex
}

// placeIndex finds members by one value.
type placeIndex struct {
	place fieldRef
	// has are found when the value is there, whatever it is.
	has []int32
	// texts, numbers, bools and nulls are found by the value itself.
	texts map[string][]int32
	// numbers are keyed by the value as a double: wider whole numbers share keys, and the
	// predicate itself decides.
	numbers map[float64][]int32
	// bools[0] are found by false, bools[1] by true.
	bools       [2][]int32
	nulls       []int32
	numberRange intervals[float64]
	textRange   intervals[string]
	// A range fails for a value of another type, which is recorded: these are asked then.
	notNumber, notText []int32
	// loose are found when the value is missing.
	loose []int32
}

// Find appends to found the members to evaluate for a scope, in ascending order, each once. It may
// find too many, never too few. found may have elements already, which stay.
func (x *Index) Find(s *Scope, found []int32) []int32 {
	from := len(found)
	found = append(found, x.Unindexed...)
	for of := ofProperties; of <= ofTraits; of++ {
		found = x.by[of].inObject(s.members(of), found)
	}
	found = x.by[ofTags].inTags(s.Customer.Customer.Tags, found)
	for _, p := range x.by[ofCounter].all {
		found = p.ofNumber(float64(s.count(p.place.name)), found)
	}
	for _, p := range x.loose {
		if s.at(p.place) == nil {
			found = append(found, p.loose...)
		}
	}
	if len(found)-from > len(x.Unindexed) {
		slices.Sort(found[from:])
		found = append(found[:from], slices.Compact(found[from:])...)
	}
	return found
}

// inObject goes through the members of the object or of the index, whichever are fewer.
func (b *placeIndexes) inObject(o *fastjson.Object, found []int32) []int32 {
	if o == nil || len(b.all) == 0 {
		return found
	}
	if len(b.all) <= o.Len() {
		for _, p := range b.all {
			if v := o.Get(p.place.name); v != nil {
				found = p.of(v, found)
			}
		}
		return found
	}
	o.Visit(func(key []byte, _ *fastjson.Value) {
		if p := b.name[string(key)]; p != nil {
			found = p.of(o.Get(p.place.name), found)
		}
	})
	return found
}

// inTags appends the members that ask for one of the customer's tags.
func (b *placeIndexes) inTags(tags []string, found []int32) []int32 {
	if len(b.all) == 0 {
		return found
	}
	for _, tag := range tags {
		if p := b.name[tag]; p != nil {
			found = append(found, p.has...)
		}
	}
	return found
}

// of appends the members to evaluate for a JSON value of the field.
func (p *placeIndex) of(v *fastjson.Value, found []int32) []int32 {
	found = append(found, p.has...)
	switch v.Type() {
	case fastjson.TypeNumber:
		n := v.GetFloat64()
		if wide, whole := wideInt(v); whole {
			n = float64(wide)
		}
		return append(p.ofNumber(n, found), p.notText...)
	case fastjson.TypeString:
		text := v.GetStringBytes()
		found = append(append(found, p.texts[string(text)]...), p.notNumber...)
		if len(p.textRange.all) > 0 {
			found = p.textRange.around(string(text), found)
		}
		return found
	case fastjson.TypeTrue:
		found = append(found, p.bools[1]...)
	case fastjson.TypeFalse:
		found = append(found, p.bools[0]...)
	case fastjson.TypeNull:
		found = append(found, p.nulls...)
	default:
	}
	return append(append(found, p.notNumber...), p.notText...)
}

// ofNumber appends the members that ask for the number or a range around it. Of NaN only errors
// come.
func (p *placeIndex) ofNumber(n float64, found []int32) []int32 {
	if n != n { // no number equals it, and no order is defined
		return append(found, p.notNumber...)
	}
	return p.numberRange.around(n, append(found, p.numbers[n]...))
}

// at returns the index of a field, made on first use.
func (x *Index) at(p fieldRef) *placeIndex {
	b := &x.by[p.of]
	if known := b.name[p.name]; known != nil {
		return known
	}
	if b.name == nil {
		b.name = map[string]*placeIndex{}
	}
	made := &placeIndex{place: p}
	b.name[p.name], b.all = made, append(b.all, made)
	return made
}

// put adds a member that is found by a term that is no range.
func (p *placeIndex) put(t *conjunct, member int32) {
	if t.kind == termHas {
		p.has = append(p.has, member)
		return
	}
	for _, l := range t.literals {
		switch lit := l.(type) {
		case types.String:
			if p.texts == nil {
				p.texts = map[string][]int32{}
			}
			p.texts[string(lit)] = append(p.texts[string(lit)], member)
		case types.Bool:
			which := 0
			if lit {
				which = 1
			}
			p.bools[which] = append(p.bools[which], member)
		case types.Null:
			p.nulls = append(p.nulls, member)
		default:
			n, _ := numberOf(l)
			if p.numbers == nil {
				p.numbers = map[float64][]int32{}
			}
			p.numbers[n] = append(p.numbers[n], member)
		}
	}
}
