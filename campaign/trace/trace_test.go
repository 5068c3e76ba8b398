package trace

import "testing"

// A trace keeps so many rows and counts the rest.
func TestTraceIsBounded(t *testing.T) {
	trace := NewTrace(nil, "w", "c", "")
	trace.Step(Step{At: 1})
	for i := range maxTraced + 5 {
		trace.Note(RuleResult{Entry: uint32(i)})
	}
	if got := len(trace.Steps[0].Results); got != maxTraced || trace.Left != 5 {
		t.Errorf("%d rows kept, %d left out; want %d and 5", got, trace.Left, maxTraced)
	}
}
