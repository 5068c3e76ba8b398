package program

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/nudge-engine/nudge/campaign/expr"
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
		for _, target := range p.Steps[i].Verb.silentTargets(p.After(i)) {
			if to, ok := p.StepIndex[target]; ok {
				walk(to, at+p.Steps[i].Verb.Timer().silent(at), sent)
			}
		}
	}
	walk(0, 0, nil)
	return most
}

// The most that a chain sends in a window is that of the way that sends most.
func TestMostSends(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	many := 0
	for range 300 {
		p := &Program{Name: "a", StepIndex: map[string]int{}}
		n := 3 + r.IntN(8)
		for i := range n {
			on := fmt.Sprintf("s%d", min(i+1+r.IntN(3), n))
			step := Step{ID: fmt.Sprintf("s%d", i)}
			switch r.IntN(5) {
			case 0, 1:
				step.Verb = &Send{Channels: []string{"x"}}
			case 2:
				step.Verb = &Delay{For: (1 + r.Int64N(5)) * 3_600_000}
			case 3:
				step.Verb = &Wait{Timeout: (1 + r.Int64N(5)) * 3_600_000, For: []Matcher{{Event: "F"}}}
			default:
				step.Verb = &Branch{Arms: []Arm{{When: &expr.Expr{Source: "true"}, Goto: on}}}
			}
			p.Steps = append(p.Steps, step)
		}
		p.Steps = append(p.Steps, Step{ID: fmt.Sprintf("s%d", n), Verb: &Exit{}})
		for i := range p.Steps {
			p.StepIndex[p.Steps[i].ID] = i
		}
		for _, hours := range []int64{1, 3, 8, 100} {
			want := slowMost(p, hours*3_600_000)
			if got := p.MostSends(hours*3_600_000, func(string, *Send) int { return 1 }); got != want {
				t.Fatalf("unexpected %d in %dh; want %d\n%+v", got, hours, want, p.Steps)
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
