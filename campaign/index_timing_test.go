package campaign

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/google/cel-go/common/types"
)

// BenchmarkPredicate compares a predicate answered by its terms with CEL's answer:
//
//	go test ./campaign -run '^$' -bench 'BenchmarkPredicate|BenchmarkIndex'
func BenchmarkPredicate(b *testing.B) {
	source := `event.properties.value >= 20 && customer.traits.level == "gold" && event.properties.currency == "EUR"`
	for _, unindexed := range []bool{false, true} {
		lang, err := NewLanguage()
		if err != nil {
			b.Fatal(err)
		}
		lang.unindexed = unindexed
		e, err := lang.compileExpr(source, types.BoolType)
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
				if ok, err := e.holds(s); !ok || err != nil {
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
		builder := newIndexBuilder()
		for i := range n {
			e, err := lang.compileExpr(fmt.Sprintf(
				`event.properties.value >= %d && event.properties.value < %d && event.properties.currency == "EUR"`, i, i+1),
				types.BoolType)
			if err != nil {
				b.Fatal(err)
			}
			builder.add(i, e)
		}
		x, s := builder.build(), benchScope()
		var found []int32
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				found = x.find(s, found[:0])
			}
		})
		if n > 100 && len(found) == 0 {
			b.Fatal("nothing is found")
		}
	}
}

func benchScope() *scope {
	c := NewCustomer("w", "ann", 0, 1)
	c.Traits = []byte(`{"level":"gold","age":30}`)
	s := newScope()
	s.event.set(&Event{Properties: []byte(`{"sku":"a","value":123.5,"currency":"EUR","product":"p","category":"c"}`)})
	s.customer.set(c)
	return s
}
