package expr

import (
	"math/rand/v2"
	"testing"

	"github.com/google/cel-go/common/types"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/exprtest"
)

func randomScope(r *rand.Rand, c *customer.Customer) *Scope {
	c.Traits, c.Tags, c.Counters = exprtest.Object(r), nil, nil
	if r.IntN(2) == 0 {
		c.Tags = []string{"vip"}
	}
	if n := r.IntN(4); n > 0 {
		c.Counters = []customer.Counter{{ID: "Order", Count: uint64(n * n * 5), First: 1, Last: 2}}
	}
	s := NewScope()
	s.Now = 1_800_000_000_000
	s.Event.Set(&event.Event{ID: "1", Name: "Go", Time: s.Now, Properties: exprtest.Object(r), Context: exprtest.Object(r)})
	s.Customer.Set(c)
	return s
}

// TestTermsMeanWhatCELMeans compares what the terms of random predicates say with what
// CEL says, errors and all.
func TestTermsMeanWhatCELMeans(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 1))
	lang, err := NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	plain := &Language{Env: lang.Env, unindexed: true}
	c := customer.New("w", "ann", 0, 1)
	sure, asked, held := 0, 0, 0
	for range 3000 {
		source := exprtest.Predicate(r)
		mine, err := lang.Compile(source, types.BoolType)
		if err != nil {
			continue // an error of types
		}
		cel, err := plain.Compile(source, types.BoolType)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			s := randomScope(r, c)
			want, wantErr := cel.Holds(s)
			got, gotErr := mine.Holds(s)
			if got != want || (gotErr == nil) != (wantErr == nil) || gotErr != nil && gotErr.Error() != wantErr.Error() {
				t.Fatalf("%s\nproperties %s\ncontext %s\ntraits %s\n%v, %v; CEL says %v, %v", source,
					s.Event.Event.Properties, s.Event.Event.Context, c.Traits, got, gotErr, want, wantErr)
			}
			asked++
			if _, ok := mine.quick(s); ok {
				sure++
			}
			if want {
				held++
			}
		}
	}
	if sure < asked/2 || held < asked/100 {
		t.Errorf("of %d only %d were answered without CEL, and %d held: the test says little", asked, sure, held)
	}
}
