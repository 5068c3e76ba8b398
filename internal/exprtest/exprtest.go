// Package exprtest makes random predicates, and the objects that they read, for tests of
// expressions and of their index. The same random source gives the same predicates.
package exprtest

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Names are the members that predicates read and objects have; Literals are what predicates
// compare them with. Values and literals meet in every way that matters: equal and nearly
// equal, of other types, around 2^53, where doubles and whole numbers part, and around zero.
//
//nudge:constant read only
var (
	Names  = []string{"a", "b", "c"}
	values = []string{
		`"x"`, `"y"`, `""`, `"20"`, `20`, `20.0`, `20.5`, `-3`, `0`, `-0`, `-0.0`, `1e400`, `true`, `false`, `null`,
		`9007199254740992`, `9007199254740993`, `-9007199254740993`, `9007199254740994`, `9223372036854775807`,
		`18446744073709551615`, `[1]`, `[]`, `{"d":1}`, `{}`, `9223372036854775808`, `nan`,
	}
	Literals = []string{
		`"x"`, `"y"`, `""`, `"20"`, `20`, `20.0`, `20u`, `20.5`, `-3`, `0`, `-0.0`, `0.0`, `true`, `false`, `null`,
		`9007199254740992`, `9007199254740993`, `-9007199254740993`, `9007199254740993.0`, `9223372036854775807`,
		`18446744073709551615u`, `1.5e300`,
	}
)

// Pick returns a random element of all, which must not be empty.
func Pick(r *rand.Rand, all []string) string { return all[r.IntN(len(all))] }

// randomPlace returns the text of a random value that a predicate may read.
func randomPlace(r *rand.Rand) string {
	name := Pick(r, Names)
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

// randomTerm returns a random term: of every kind, those that the index recognises and
// others, and some that fail.
func randomTerm(r *rand.Rand) string {
	at := randomPlace(r)
	switch r.IntN(16) {
	case 0:
		return Pick(r, []string{
			`customer.tagged("vip")`, `customer.tagged("old")`, `!customer.tagged("vip")`,
			`customer.count("Order") > 2`, `customer.last("Order") > timestamp("2020-01-01T00:00:00Z")`,
			`event.name == "Go"`, `now > customer.created_at`,
			`customer.count("Order", "30d") == 0`, `customer.timezone == "UTC"`,
		})
	case 1:
		return Pick(r, []string{
			at + " % 2 == 0", `event.properties.a.startsWith("x")`, `event.properties.a.d == 1`, "1 / (2 - 2) == 1",
			`event.properties.a`, `[1, 2].exists(i, i == ` + at + `)`, `(` + at + ` == 1 || ` + at + ` == "x")`,
			`size(event.properties.a) > 0`, `has(event.properties.a.d)`, `event.properties["a"] in event.properties`,
		})
	case 2:
		of := Pick(r, []string{"event.properties.", "customer.traits.", "event.context."})
		return "has(" + of + Pick(r, Names) + ")"
	case 3, 4:
		var list []string
		text := r.IntN(2) == 0
		for range 1 + r.IntN(3) {
			if lit := Pick(r, Literals); text == (lit[0] == '"') && lit != "true" && lit != "false" && lit != "null" {
				list = append(list, lit)
			}
		}
		return at + " in [" + strings.Join(list, ", ") + "]"
	}
	op := Pick(r, []string{"==", "==", "==", "!=", "<", "<=", ">", ">="})
	if r.IntN(6) == 0 {
		return fmt.Sprintf("%s %s %s", Pick(r, Literals), op, at)
	}
	return fmt.Sprintf("%s %s %s", at, op, Pick(r, Literals))
}

// Predicate returns a CEL predicate that joins up to four random terms. It may have an
// error of types.
func Predicate(r *rand.Rand) string {
	parts := make([]string, 1+r.IntN(4))
	for i := range parts {
		parts[i] = randomTerm(r)
	}
	if len(parts) == 4 && r.IntN(2) == 0 {
		return parts[0] + " && (" + parts[1] + " && " + parts[2] + ") && " + parts[3]
	}
	return strings.Join(parts, " && ")
}

// Object returns a random JSON object with some of Names, or nil.
func Object(r *rand.Rand) []byte {
	if r.IntN(10) == 0 {
		return nil
	}
	var members []string
	for _, name := range Names {
		if r.IntN(4) > 0 {
			members = append(members, fmt.Sprintf("%q:%s", name, Pick(r, values)))
		}
	}
	return []byte("{" + strings.Join(members, ",") + "}")
}
