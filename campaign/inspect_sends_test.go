package campaign

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// slowMost walks all ways of a chain whose customer never reacts.
func slowMost(p *Program, window int64) int {
	most := 0
	var walk func(i int, at int64, sent []int64)
	walk = func(i int, at int64, sent []int64) {
		if i >= len(p.Steps) {
			return
		}
		if _, sends := p.Steps[i].Verb.(*Send); sends {
			sent = append(sent[:len(sent):len(sent)], at)
			in := 0
			for _, s := range sent {
				if at-s < window {
					in++
				}
			}
			most = max(most, in)
		}
		for _, target := range p.silentTargets(i) {
			if to, ok := p.steps[target]; ok {
				walk(to, at+p.rest(i, at), sent)
			}
		}
	}
	walk(0, 0, nil)
	return most
}

// The most that a chain sends in a window is that of the way that sends most.
func TestMostSends(t *testing.T) {
	lang, err := NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(7, 7))
	many := 0
	for range 300 {
		var steps strings.Builder
		n := 3 + r.IntN(8)
		for i := range n {
			on := fmt.Sprintf("s%d", min(i+1+r.IntN(3), n))
			switch r.IntN(5) {
			case 0, 1:
				fmt.Fprintf(&steps, "    - {id: s%d, send: {channel: x}}\n", i)
			case 2:
				fmt.Fprintf(&steps, "    - {id: s%d, delay: %dh}\n", i, 1+r.IntN(5))
			case 3:
				fmt.Fprintf(&steps, "    - {id: s%d, wait: {timeout: %dh, for: [{event: F}]}}\n", i, 1+r.IntN(5))
			default:
				fmt.Fprintf(&steps, "    - {id: s%d, branch: [{when: customer.tagged(\"a\"), goto: %s}]}\n", i, on)
			}
		}
		text := "apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: a}\nspec:\n  trigger: {event: {name: E}}\n  steps:\n" +
			steps.String() + fmt.Sprintf("    - {id: s%d, exit: {}}\n", n)
		docs, err := Parse(lang, "f", []byte(text))
		if err != nil {
			t.Fatal(err, text)
		}
		p := docs[0].Campaign
		for _, hours := range []int64{1, 3, 8, 100} {
			want := slowMost(p, hours*3_600_000)
			if got := p.MostSends(hours*3_600_000, func(string, *Send) int { return 1 }); got != want {
				t.Fatalf("unexpected %d in %dh; want %d\n%s", got, hours, want, text)
			}
			if want > 1 {
				many++
			}
		}
	}
	if many < 100 {
		t.Errorf("only %d chains send more than once", many)
	}
}
