package expr

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/cel-go/common/types"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/exprtest"
)

// TestIndexFindsAllThatHoldOrFail builds indexes over random predicates: whatever holds,
// or fails so that it is recorded, for a random event and customer is found.
func TestIndexFindsAllThatHoldOrFail(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 1))
	lang, err := NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	plain := &Language{Env: lang.Env, unindexed: true}
	c := customer.New("w", "ann", 0, 1)
	asked, found, needed := 0, 0, 0
	for range 60 {
		b := NewIndexBuilder()
		var sources []*Expr
		for len(sources) < 60 {
			source := exprtest.Predicate(r)
			e, err := lang.Compile(source, types.BoolType)
			if err != nil {
				continue
			}
			cel, err := plain.Compile(source, types.BoolType)
			if err != nil {
				t.Fatal(err)
			}
			b.Add(len(sources), e)
			sources = append(sources, cel)
		}
		x := b.Build()
		var members []int32
		for range 60 {
			s := randomScope(r, c)
			members = x.Find(s, members[:0])
			for i, e := range sources {
				holds, err := e.Holds(s)
				if !holds && err == nil {
					continue
				}
				needed++
				if !slices.Contains(members, int32(i)) {
					t.Fatalf("%s\nproperties %s\ncontext %s\ntraits %s\n%v, %v, and it is not found", e.Source,
						s.Event.Event.Properties, s.Event.Event.Context, c.Traits, holds, err)
				}
			}
			if !slices.IsSorted(members) || len(slices.Compact(slices.Clone(members))) != len(members) {
				t.Fatalf("not in order, or twice: %v", members)
			}
			asked += len(sources)
			found += len(members)
		}
	}
	if found > asked/2 {
		t.Errorf("of %d predicates %d are found, %d had to be: the index leaves too little out", asked, found, needed)
	}
	t.Logf("of %d predicates %d had to be asked, %d are found", asked, needed, found)
}

// TestIntervals compares the search with a walk over all of them.
func TestIntervals(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 1))
	for range 200 {
		var x intervals[float64]
		var c histogram[float64]
		for i := range r.IntN(40) {
			v := interval[float64]{
				low: float64(r.IntN(20)), high: float64(r.IntN(20)), openLow: r.IntN(4) == 0, openHigh: r.IntN(4) == 0,
				member: int32(i),
			}
			x.add(v)
			c.add(v)
		}
		x.build()
		c.build()
		for v := -1.0; v <= 21; v++ {
			var want []int32
			for _, i := range x.all {
				if (i.openLow || i.low <= v) && (i.openHigh || i.high >= v) {
					want = append(want, i.member)
				}
			}
			if got := x.around(v, nil); !slices.Equal(got, want) {
				t.Fatalf("around %v: %v, want %v of %v", v, got, want, x.all)
			}
		}
	}
}

// TestIndexPicksTheTermThatTellsMost looks at how many of a thousand like predicates an
// event asks.
func TestIndexPicksTheTermThatTellsMost(t *testing.T) {
	number := func(i int) string { return string([]byte{byte('a' + i%10), byte('a' + i/10%10), byte('a' + i/100)}) }
	for _, c := range []struct {
		name  string
		where func(i int) string
		most  int
	}{
		{"a value of its own behind one they share", func(i int) string {
			return `event.properties.currency == "EUR" && event.properties.sku == "` + number(i) + `"`
		}, 1},
		{"a trait", func(i int) string { return `customer.traits.city == "` + number(i) + `"` }, 1},
		{"a list", func(i int) string { return `event.properties.sku in ["` + number(i) + `", "x` + number(i) + `"]` }, 1},
		{"a narrow range", func(i int) string {
			return `event.properties.currency == "EUR" && event.properties.score >= ` + strconv.Itoa(i) +
				` && event.properties.score < ` + strconv.Itoa(i+1)
		}, 2},
		{"a tag", func(i int) string { return `customer.tagged("t` + number(i) + `")` }, 1},
		{"a count", func(i int) string { return `customer.count("Order") == ` + strconv.Itoa(i) }, 1},
		{"a name of its own", func(i int) string { return `has(event.properties.p` + number(i) + `)` }, 1},
		{"behind what can fail", func(i int) string {
			return `event.properties.score > 3 && event.properties.sku == "` + number(i) + `"`
		}, 1},
	} {
		lang, err := NewLanguage()
		if err != nil {
			t.Fatal(err)
		}
		b := NewIndexBuilder()
		for i := range 1000 {
			e, err := lang.Compile(c.where(i), types.BoolType)
			if err != nil {
				t.Fatal(err)
			}
			b.Add(i, e)
		}
		who := customer.New("w", "ann", 0, 1)
		who.Traits, who.Tags = []byte(`{"city":"aba"}`), []string{"taba", "z"}
		who.Counters = []customer.Counter{{ID: "Order", Count: 7}}
		s := NewScope()
		s.Event.Set(&event.Event{Properties: []byte(`{"currency":"EUR","sku":"aba","score":500.5,"paba":1}`)})
		s.Customer.Set(who)
		if found := b.Build().Find(s, nil); len(found) == 0 || len(found) > c.most {
			t.Errorf("%s: %d are asked; at most %d have to be", c.name, len(found), c.most)
		}
	}
}

// TestTermsLeaveTheCostLimitAlone: behind a missing value CEL goes on, to look for a
// term that is false, and a loop there may exceed the limit, which is recorded.
func TestTermsLeaveTheCostLimitAlone(t *testing.T) {
	list := "[0" + strings.Repeat(",0", 99) + "]"
	loop := "event.properties.list.all(i, event.properties.list.all(j, event.properties.list.all(k, i + j + k == 0.0)))"
	lang, err := NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	c := customer.New("w", "ann", 0, 1)
	for _, source := range []string{
		`event.properties.a == 1 && ` + loop, loop + ` && event.properties.a == 1`, loop + ` && event.properties.b == 2`,
	} {
		e, err := lang.Compile(source, types.BoolType)
		if err != nil {
			t.Fatal(err)
		}
		s := NewScope()
		s.Event.Set(&event.Event{Properties: []byte(`{"b":1,"list":` + list + `}`)})
		s.Customer.Set(c)
		b := NewIndexBuilder()
		b.Add(0, e)
		if _, err := e.Holds(s); err == nil || len(b.Build().Find(s, nil)) != 1 {
			t.Errorf("%s: %v; want an error of cost, and to be found", source, err)
		}
	}
}
