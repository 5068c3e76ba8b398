package expr

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/google/cel-go/common/types"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
)

// BenchmarkPredicate compares a predicate answered by its terms with CEL's answer:
//
//	go test ./campaign/expr -run '^$' -bench 'BenchmarkPredicate|BenchmarkIndex'
func BenchmarkPredicate(b *testing.B) {
	source := `event.properties.value >= 20 && customer.traits.level == "gold" && event.properties.currency == "EUR"`
	for _, unindexed := range []bool{false, true} {
		lang, err := NewLanguage()
		if err != nil {
			b.Fatal(err)
		}
		lang.unindexed = unindexed
		e, err := lang.Compile(source, types.BoolType)
		if err != nil {
			b.Fatal(err)
		}
		s, name := benchScope(), "terms"
		if unindexed {
			name = "CEL"
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := e.Holds(s); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
}

// BenchmarkIndex finds one of many predicates for an event with five properties.
func BenchmarkIndex(b *testing.B) {
	lang, err := NewLanguage()
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{10, 10_000} {
		builder := NewIndexBuilder()
		for i := range n {
			e, err := lang.Compile(fmt.Sprintf(
				`event.properties.value >= %d && event.properties.value < %d && event.properties.currency == "EUR"`, i, i+1),
				types.BoolType)
			if err != nil {
				b.Fatal(err)
			}
			builder.Add(i, e)
		}
		x, s := builder.Build(), benchScope()
		var found []int32
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				found = x.Find(s, found[:0])
			}
		})
		if n > 100 && len(found) == 0 {
			b.Fatal("nothing is found")
		}
	}
}

func benchScope() *Scope {
	c := customer.New("w", "ann", 0, 1)
	c.Traits = []byte(`{"level":"gold","age":30}`)
	s := NewScope()
	s.Event.Set(&event.Event{Properties: []byte(`{"sku":"a","value":123.5,"currency":"EUR","product":"p","category":"c"}`)})
	s.Customer.Set(c)
	return s
}
