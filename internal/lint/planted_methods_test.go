package lint_test

import (
	"fmt"
	"strings"
)

func plantedMethods() []planted {
	methods := func(of string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "func (%s) m%d() {}\n", of, i)
		}
		return b.String()
	}
	return []planted{{name: "many", rule: "methods", files: map[string]string{
		"a/a.go": source(methods("*T", 40), "type T[K any] struct{}", "type U struct{}", methods("U", 60)),
		"a/b.go": source(methods("(t *T[K])", 0), methods("t *T[K]", 20), "func (t T[K]) more() {} // BAD",
			"func (t T[K]) evenMore() {}", "func free() {}"),
		"a/a_test.go": source(methods("*U", 9)),
		"b/a.go":      source(methods("*T", 60)),
		"b/b.go": source("type V struct { *T; n int } // no more than it embeds", "type W struct { V } // BAD",
			"func (w *W) more() {}", "type X struct { t *T }", methods("*X", 60), "type Y struct { *fmt.Stringer }"),
		"sim/a.go": source(methods("World", 99)),
	}}}
}

func plantedParts() []planted {
	machine := map[string]string{
		"campaign/machine/turn.go": source(
			"type turn struct { now int }",
			"type Machine struct { turn; decided sends; running chains }",
			"type row struct { queue int }", // no part
		),
		"campaign/machine/sends.go": source(
			"type sends struct {",
			"\t*turn",
			"\tqueue []int",
			"\tback *chains // BAD",
			"}",
			"func (sd *sends) has() bool { return len(sd.queue) > sd.now }",
			"func question(sd *sends) int { return len(sd.queue) } // BAD",
		),
		"campaign/machine/chains.go": source(
			"type chains struct { *turn; sends *sends; ready []int }",
			"func (cs *chains) run(r row) {",
			"\tcs.ready = append(cs.ready, cs.now, r.queue)",
			"\tcs.sends.queue = nil // BAD",
			"\tsd := cs.sends",
			"\tif sd.has() {",
			"\t\t_ = sd.queue // BAD",
			"\t}",
			"}",
			"func (m *Machine) begin() {",
			"\tm.now, m.decided.now = 1, 2",
			"\tm.decided.has()",
			"\tm.running.ready = nil // BAD",
			"}",
			"func New() *Machine { return &Machine{running: chains{sends: &sends{queue: nil}}} }",
		),
		"campaign/machine/run_test.go": source("func f(cs *chains) { cs.sends.queue = nil }"),
		"campaign/program/a.go": source(
			"type turn struct{}",
			"type sends struct { *turn; queue []int }",
			"func f(sd *sends) { sd.queue = nil }",
		),
	}
	shard := map[string]string{
		"actors/shard/shard.go": source(
			"type Position struct { Seq int }", // exported: a value
			"type partition struct { now int }",
			"type Shard struct { partition; defs definitions; timers timers; at Position }",
			"func (s *Shard) step() { s.now = s.at.Seq; s.timers.due = 0 } // BAD",
		),
		"actors/shard/definitions.go": source(
			"type definitions struct { sets map[string]int; shard *Shard } // BAD",
			"type timers struct { *partition; defs *definitions; due int }",
			"func (ts *timers) next() int { return ts.due + ts.now + len(ts.defs.sets) } // BAD",
		),
	}
	return []planted{
		{name: "fields", rule: "parts", files: machine}, {name: "fields of the shard", rule: "parts", files: shard},
	}
}
