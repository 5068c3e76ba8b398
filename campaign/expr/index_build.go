package expr

import (
	"cmp"

	"github.com/google/cel-go/common/types"
)

// IndexBuilder collects predicates and chooses by which of its terms each is found. Choosing needs
// to know what is common, so all are added before Build.
type IndexBuilder struct {
	members []indexMember
	// numbers and texts tell for each field how many ranges overlap where.
	numbers map[fieldRef]*histogram[float64]
	texts   map[fieldRef]*histogram[string]
	equal   map[EqualTo]int // how many members have an equality with the same value
	// has counts the predicates that need the field to be there.
	has map[fieldRef]int
	// Moving says that counters change between finding members and evaluating them: none is found
	// by a counter then. Set it before Build.
	Moving bool
}

// indexMember is one predicate of a member. A member with several predicates, added one by one, is
// found when one of them can hold or fail.
type indexMember struct {
	number int32
	terms  terms
}

// NewIndexBuilder returns a builder without members.
func NewIndexBuilder() *IndexBuilder {
	return &IndexBuilder{
		numbers: map[fieldRef]*histogram[float64]{}, texts: map[fieldRef]*histogram[string]{}, equal: map[EqualTo]int{},
		has: map[fieldRef]int{},
	}
}

// Add adds a predicate of a member, a number that Find returns; nil is a predicate that always
// holds. The terms before are what the caller checks itself before it evaluates e, so that the
// member may be found by them too.
func (b *IndexBuilder) Add(member int, e *Expr, before ...conjunct) {
	m := indexMember{number: int32(member), terms: terms{all: before, bounded: true}}
	if e != nil {
		m.terms.all, m.terms.bounded = append(before, e.terms.all...), e.terms.bounded
	}
	b.members = append(b.members, m)
	for i := range m.terms.all {
		b.note(m.terms.all, i)
	}
}

// note counts term i of all, so that cost can tell how selective it is.
func (b *IndexBuilder) note(all []conjunct, i int) {
	t := &all[i]
	switch {
	case t.kind == termHas:
		b.has[t.field]++
	case t.kind == termEqual || t.kind == termIn:
		for _, l := range t.literals {
			b.equal[equality(t.field, l)]++
		}
	case t.ranges() && firstRange(all, i):
		if text, is := textInterval(all, i); is {
			histogramOf(b.texts, t.field).add(text)
		} else {
			histogramOf(b.numbers, t.field).add(numberInterval(all, i))
		}
	}
}

// histogramOf returns the histogram of a field, made on first use.
func histogramOf[T cmp.Ordered](all map[fieldRef]*histogram[T], p fieldRef) *histogram[T] {
	if all[p] == nil {
		all[p] = new(histogram[T])
	}
	return all[p]
}

// firstRange says whether term i is the first range of its field and type: "x > 1 && x < 5" is one
// interval, and is counted once.
func firstRange(all []conjunct, i int) bool {
	for j := range i {
		if all[j].ranges() && all[j].field == all[i].field && isText(&all[j]) == isText(&all[i]) {
			return false
		}
	}
	return true
}

// isText says whether the term compares with a text, and otherwise with a number.
func isText(t *conjunct) bool {
	_, is := t.literals[0].(types.String)
	return is
}

// numberInterval joins the number ranges of the field of term i: "x > 1 && x < 5" -> [1, 5]. Both
// ends are included, whatever the operator: the index may find too much, since the predicate
// decides.
func numberInterval(all []conjunct, i int) interval[float64] {
	return joined(all, i, func(t *conjunct) (float64, bool) { return numberOf(t.literals[0]) })
}

// textInterval joins the text ranges of the field of term i, as numberInterval does those of
// numbers. The second result is false where term i compares with a number.
func textInterval(all []conjunct, i int) (v interval[string], is bool) {
	if !isText(&all[i]) {
		return v, false
	}
	return joined(all, i, func(t *conjunct) (string, bool) {
		text, ok := t.literals[0].(types.String)
		return string(text), ok
	}), true
}

// joined intersects the ranges over the field of term i whose bounds have the type that bound
// accepts.
func joined[T cmp.Ordered](all []conjunct, i int, bound func(*conjunct) (T, bool)) interval[T] {
	v := interval[T]{openLow: true, openHigh: true}
	for j := range all {
		t := &all[j]
		if !t.ranges() || t.field != all[i].field {
			continue
		}
		at, ok := bound(t)
		if !ok {
			continue
		}
		if t.kind == termMore || t.kind == termAtLeast {
			if v.openLow || at > v.low {
				v.low, v.openLow = at, false
			}
		} else if v.openHigh || at < v.high {
			v.high, v.openHigh = at, false
		}
	}
	return v
}

// Build makes the index of the predicates added.
func (b *IndexBuilder) Build() *Index {
	for _, c := range b.numbers { //nudge:unordered each is handled alone
		c.build()
	}
	for _, c := range b.texts { //nudge:unordered each is handled alone
		c.build()
	}
	x := new(Index)
	for i := range b.members {
		b.place(x, &b.members[i])
	}
	for of := range x.by {
		for _, p := range x.by[of].all {
			p.numberRange.build()
			p.textRange.build()
			if len(p.loose) > 0 {
				x.loose = append(x.loose, p)
			}
		}
	}
	return x
}

// place puts a member under its cheapest term, or among those that are always found. A member found
// by its term i must also be found where a term up to i fails, because an error is recorded: hence
// notText, notNumber and loose.
func (b *IndexBuilder) place(x *Index, m *indexMember) {
	all := m.terms.all
	best, least := -1, 0
	for i := range all {
		if cost, ok := b.cost(m, i); ok && (best < 0 || cost < least) {
			best, least = i, cost
		}
	}
	if best < 0 {
		x.Unindexed = append(x.Unindexed, m.number)
		return
	}
	t := &all[best]
	p := x.at(t.field)
	if !t.ranges() {
		p.put(t, m.number)
	} else if text, is := textInterval(all, best); is {
		text.member = m.number
		p.textRange.add(text)
	} else {
		v := numberInterval(all, best)
		v.member = m.number
		p.numberRange.add(v)
	}
	for i := range all[:best+1] { // where one of these fails, that is recorded
		if !all[i].ranges() || all[i].field.of == ofCounter {
			continue
		}
		if at := x.at(all[i].field); isText(&all[i]) {
			at.notText = append(at.notText, m.number)
		} else {
			at.notNumber = append(at.notNumber, m.number)
		}
	}
	if m.loose(best) {
		p.loose = append(p.loose, m.number)
	}
}

// loose says that a missing value of term i does not end the evaluation silently: a term before it
// may fail with an error, or one after it may exceed the limit of work.
func (m *indexMember) loose(i int) bool {
	if of := m.terms.all[i].field.of; of == ofTags || of == ofCounter || m.terms.all[i].kind == termHas {
		return false // is never missing; not there is false
	}
	if !m.terms.bounded {
		return true
	}
	for j := range i {
		if m.terms.all[j].kind == termOther {
			return true
		}
	}
	return false
}

// cost estimates how often a member is evaluated for nothing when it is found by term i; ok is
// false when it cannot be. A field that is also evaluated when missing counts four times, an
// estimate.
func (b *IndexBuilder) cost(m *indexMember, i int) (cost int, ok bool) {
	t := &m.terms.all[i]
	if b.Moving && t.field.of == ofCounter {
		return 0, false
	}
	switch {
	case t.kind == termHas:
		cost = b.has[t.field]
	case t.kind == termEqual || t.kind == termIn:
		for _, l := range t.literals {
			cost += b.equal[equality(t.field, l)]
		}
	case t.ranges():
		if text, is := textInterval(m.terms.all, i); is {
			cost = b.texts[t.field].of(text)
		} else {
			cost = b.numbers[t.field].of(numberInterval(m.terms.all, i))
		}
	default:
		return 0, false
	}
	cost = cost*int(sources) + int(t.field.of) // the sooner looked up of two that tell the same
	if m.loose(i) {
		cost *= 4
	}
	return cost, true
}
