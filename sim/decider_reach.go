package sim

// Rare situations of experiments that are decided.
const (
	reachDecided  = "experiment decided by its figures"
	reachDeadline = "experiment decided by its deadline"
	reachPassed   = "experiment decided after figures at which it was not looked"
	reachBlocked  = "experiment blocked by its shares"
	reachUrged    = "tick for an experiment that waits for its hour"
)

func deciderRare() []string {
	return []string{reachDecided, reachDeadline, reachPassed, reachBlocked, reachUrged}
}
