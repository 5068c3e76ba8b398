package campaign

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// The values and literals meet in every way that matters: equal and nearly equal, of
// other types, around 2^53, where doubles and whole numbers part, and around zero.
//
//nudge:constant read only
var (
	termNames  = []string{"a", "b", "c"}
	termValues = []string{
		`"x"`, `"y"`, `""`, `"20"`, `20`, `20.0`, `20.5`, `-3`, `0`, `-0`, `-0.0`, `1e400`, `true`, `false`, `null`,
		`9007199254740992`, `9007199254740993`, `-9007199254740993`, `9007199254740994`, `9223372036854775807`,
		`18446744073709551615`, `[1]`, `[]`, `{"d":1}`, `{}`, `9223372036854775808`, `nan`,
	}
	termLiterals = []string{
		`"x"`, `"y"`, `""`, `"20"`, `20`, `20.0`, `20u`, `20.5`, `-3`, `0`, `-0.0`, `0.0`, `true`, `false`, `null`,
		`9007199254740992`, `9007199254740993`, `-9007199254740993`, `9007199254740993.0`, `9223372036854775807`,
		`18446744073709551615u`, `1.5e300`,
	}
)

func pick(r *rand.Rand, all []string) string { return all[r.IntN(len(all))] }

func randomPlace(r *rand.Rand) string {
	name := pick(r, termNames)
	switch r.IntN(8) {
	case 0:
		return `customer.count("Order")`
	case 1, 2:
		return "customer.traits." + name
	case 3:
		return "event.context." + name
	case 4:
		return `event.properties["` + name + `"]`
	}
	return "event.properties." + name
}

// randomTerm gives terms of all kinds, recognised and not, some of which fail.
func randomTerm(r *rand.Rand) string {
	at := randomPlace(r)
	switch r.IntN(16) {
	case 0:
		return pick(r, []string{
			`customer.tagged("vip")`, `customer.tagged("old")`, `!customer.tagged("vip")`, `customer.count("Order") > 2`,
			`customer.last("Order") > timestamp("2020-01-01T00:00:00Z")`, `event.name == "Go"`, `now > customer.created_at`,
			`customer.count("Order", "30d") == 0`, `customer.timezone == "UTC"`,
		})
	case 1:
		return pick(r, []string{
			at + " % 2 == 0", `event.properties.a.startsWith("x")`, `event.properties.a.d == 1`, "1 / (2 - 2) == 1",
			`event.properties.a`, `[1, 2].exists(i, i == ` + at + `)`, `(` + at + ` == 1 || ` + at + ` == "x")`,
			`size(event.properties.a) > 0`, `has(event.properties.a.d)`, `event.properties["a"] in event.properties`,
		})
	case 2:
		return "has(" + pick(r, []string{"event.properties.", "customer.traits.", "event.context."}) + pick(r, termNames) + ")"
	case 3, 4:
		var list []string
		text := r.IntN(2) == 0
		for range 1 + r.IntN(3) {
			if lit := pick(r, termLiterals); text == (lit[0] == '"') && lit != "true" && lit != "false" && lit != "null" {
				list = append(list, lit)
			}
		}
		return at + " in [" + strings.Join(list, ", ") + "]"
	}
	op := pick(r, []string{"==", "==", "==", "!=", "<", "<=", ">", ">="})
	if r.IntN(6) == 0 {
		return fmt.Sprintf("%s %s %s", pick(r, termLiterals), op, at)
	}
	return fmt.Sprintf("%s %s %s", at, op, pick(r, termLiterals))
}

func randomPredicate(r *rand.Rand) string {
	parts := make([]string, 1+r.IntN(4))
	for i := range parts {
		parts[i] = randomTerm(r)
	}
	if len(parts) == 4 && r.IntN(2) == 0 {
		return parts[0] + " && (" + parts[1] + " && " + parts[2] + ") && " + parts[3]
	}
	return strings.Join(parts, " && ")
}

// randomObject leaves out each name now and then, or all of them.
func randomObject(r *rand.Rand) []byte {
	if r.IntN(10) == 0 {
		return nil
	}
	var members []string
	for _, name := range termNames {
		if r.IntN(4) > 0 {
			members = append(members, fmt.Sprintf("%q:%s", name, pick(r, termValues)))
		}
	}
	return []byte("{" + strings.Join(members, ",") + "}")
}

func randomScope(r *rand.Rand, c *Customer) *scope {
	c.Traits, c.Tags, c.Counters = randomObject(r), nil, nil
	if r.IntN(2) == 0 {
		c.Tags = []string{"vip"}
	}
	if n := r.IntN(4); n > 0 {
		c.Counters = []Counter{{ID: "Order", Count: uint64(n * n * 5), First: 1, Last: 2}}
	}
	s := newScope()
	s.now = 1_800_000_000_000
	s.event.set(&Event{ID: "1", Name: "Go", Time: s.now, Properties: randomObject(r), Context: randomObject(r)})
	s.customer.set(c)
	return s
}

// TestTermsMeanWhatCELMeans compares what the terms of random predicates say with what
// CEL says, errors and all.
func TestTermsMeanWhatCELMeans(t *testing.T) {
	r := seeded(11)
	lang, err := NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	plain := &Language{env: lang.env, unindexed: true}
	c := NewCustomer("w", "ann", 0, 1)
	sure, asked, held := 0, 0, 0
	for range 3000 {
		source := randomPredicate(r)
		mine, err := lang.compileExpr(source, celBool(true))
		if err != nil {
			continue // an error of types
		}
		cel, err := plain.compileExpr(source, celBool(true))
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			s := randomScope(r, c)
			want, wantErr := cel.holds(s)
			got, gotErr := mine.holds(s)
			if got != want || (gotErr == nil) != (wantErr == nil) || gotErr != nil && gotErr.Error() != wantErr.Error() {
				t.Fatalf("%s\nproperties %s\ncontext %s\ntraits %s\n%v, %v; CEL says %v, %v", source,
					s.event.e.Properties, s.event.e.Context, c.Traits, got, gotErr, want, wantErr)
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
