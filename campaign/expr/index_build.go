package expr

import (
	"cmp"

	"github.com/google/cel-go/common/types"
)

// IndexBuilder chooses by which term each member of an index is found.
type IndexBuilder struct {
	members []indexMember
	numbers map[place]*crowd[float64]
	texts   map[place]*crowd[string]
	equal   map[EqualTo]int // how many members have an equality with the same value
	has     map[place]int
	// Moving says that counters change while members are asked: none is found by them.
	Moving bool
}

// indexMember is one predicate of a member; it is asked when one of its predicates can
// hold or fail.
type indexMember struct {
	number int32
	terms  terms
}

// NewIndexBuilder returns a builder without members.
func NewIndexBuilder() *IndexBuilder {
	return &IndexBuilder{
		numbers: map[place]*crowd[float64]{}, texts: map[place]*crowd[string]{}, equal: map[EqualTo]int{},
		has: map[place]int{},
	}
}

// Add adds a predicate of a member; nil holds always. Terms in front of it are asked
// before it is.
func (b *IndexBuilder) Add(member int, e *Expr, before ...term) {
	m := indexMember{number: int32(member), terms: terms{all: before, bounded: true}}
	if e != nil {
		m.terms.all, m.terms.bounded = append(before, e.terms.all...), e.terms.bounded
	}
	b.members = append(b.members, m)
	for i := range m.terms.all {
		b.note(m.terms.all, i)
	}
}

// note counts a term, for the choice.
func (b *IndexBuilder) note(all []term, i int) {
	t := &all[i]
	switch {
	case t.kind == termHas:
		b.has[t.place]++
	case t.kind == termEqual || t.kind == termIn:
		for _, l := range t.lits {
			b.equal[equality(t.place, l)]++
		}
	case t.ranges() && firstRange(all, i):
		if text, is := textInterval(all, i); is {
			crowdOf(b.texts, t.place).add(text)
		} else {
			crowdOf(b.numbers, t.place).add(numberInterval(all, i))
		}
	}
}

func crowdOf[T cmp.Ordered](all map[place]*crowd[T], p place) *crowd[T] {
	if all[p] == nil {
		all[p] = new(crowd[T])
	}
	return all[p]
}

// firstRange says that no range of the same value and type stands before term i: those
// of one value are one interval.
func firstRange(all []term, i int) bool {
	for j := range i {
		if all[j].ranges() && all[j].place == all[i].place && isText(&all[j]) == isText(&all[i]) {
			return false
		}
	}
	return true
}

func isText(t *term) bool {
	_, is := t.lits[0].(types.String)
	return is
}

// numberInterval joins the ranges of the value of term i. Ends that do not belong to it
// are taken in: the predicate decides.
func numberInterval(all []term, i int) interval[float64] {
	return joined(all, i, func(t *term) (float64, bool) { return numberOf(t.lits[0]) })
}

func textInterval(all []term, i int) (v interval[string], is bool) {
	if !isText(&all[i]) {
		return v, false
	}
	return joined(all, i, func(t *term) (string, bool) {
		text, ok := t.lits[0].(types.String)
		return string(text), ok
	}), true
}

func joined[T cmp.Ordered](all []term, i int, bound func(*term) (T, bool)) interval[T] {
	v := interval[T]{openLow: true, openHigh: true}
	for j := range all {
		t := &all[j]
		if !t.ranges() || t.place != all[i].place {
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

// Build makes the index.
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

// place puts a member where it is found.
func (b *IndexBuilder) place(x *Index, m *indexMember) {
	all := m.terms.all
	best, least := -1, 0
	for i := range all {
		if cost, ok := b.cost(m, i); ok && (best < 0 || cost < least) {
			best, least = i, cost
		}
	}
	if best < 0 {
		x.Open = append(x.Open, m.number)
		return
	}
	t := &all[best]
	p := x.at(t.place)
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
		if !all[i].ranges() || all[i].place.of == ofCounter {
			continue
		}
		if at := x.at(all[i].place); isText(&all[i]) {
			at.notText = append(at.notText, m.number)
		} else {
			at.notNumber = append(at.notNumber, m.number)
		}
	}
	if m.loose(best) {
		p.loose = append(p.loose, m.number)
	}
}

// loose says that a missing value of term i does not end the evaluation silently.
func (m *indexMember) loose(i int) bool {
	if of := m.terms.all[i].place.of; of == ofTags || of == ofCounter || m.terms.all[i].kind == termHas {
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

// cost estimates how often a member is asked in vain when it is found by term i; ok is
// false when it cannot be.
func (b *IndexBuilder) cost(m *indexMember, i int) (cost int, ok bool) {
	t := &m.terms.all[i]
	if b.Moving && t.place.of == ofCounter {
		return 0, false
	}
	switch {
	case t.kind == termHas:
		cost = b.has[t.place]
	case t.kind == termEqual || t.kind == termIn:
		for _, l := range t.lits {
			cost += b.equal[equality(t.place, l)]
		}
	case t.ranges():
		if text, is := textInterval(m.terms.all, i); is {
			cost = b.texts[t.place].of(text)
		} else {
			cost = b.numbers[t.place].of(numberInterval(m.terms.all, i))
		}
	default:
		return 0, false
	}
	cost = cost*int(sources) + int(t.place.of) // the sooner looked up of two that tell the same
	if m.loose(i) {
		cost *= 4
	}
	return cost, true
}
