package plan

import "github.com/nudge-engine/nudge/campaign/event"

// NextTransfers splits transfers into those that may be appended now, the first of each
// source customer, and the rest, which wait until the one before of their source is durable:
// a failure then leaves no gap. Both keep their order.
func NextTransfers(transfers []event.Transfer) (now, rest []event.Transfer) {
	type source struct{ workspace, customer string }
	seen := map[source]bool{}
	for i := range transfers {
		t := &transfers[i]
		if key := (source{t.Workspace, t.Source}); seen[key] {
			rest = append(rest, *t)
		} else {
			seen[key] = true
			now = append(now, *t)
		}
	}
	return now, rest
}
