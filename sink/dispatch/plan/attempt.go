package plan

import "github.com/nudge-engine/nudge/campaign/output"

// Step is what follows on a shard's answer about an attempt.
type Step int

// What can follow on the shard's answer about an attempt.
const (
	AskAgain Step = iota // the shard cannot say yet: it is asked again after a pause
	Drop                 // the attempt must not be made, and need not be asked about again
	Send                 // the attempt is made
)

// After returns the step after an answer of shard.Owner.MayLeave: may with a nil error,
// or an error.
func After(may bool, err error) Step {
	switch {
	case err != nil:
		return AskAgain
	case may:
		return Send
	}
	return Drop
}

// Result returns the record that says what became of an attempt, without what the channel
// adds (reason, detail).
func Result(d *output.Delivery, verdict output.Verdict) output.Result {
	return output.Result{
		Workspace: d.Workspace, Customer: d.Customer, Delivery: d.ID, Attempt: d.Attempt, Verdict: verdict,
	}
}
