package sim

import "github.com/nudge-engine/nudge/sim/audit"

// Rare situations of merges and erasures.
const (
	reachMergeAcross  = "merge across partitions"
	reachPartsCut     = "parts of a state cut by a crash"
	reachCarriedTwice = "transfer carried twice"
	reachLateEvent    = "late event of an anonymous customer forwarded"
	reachLateResult   = "result of a delivery forwarded"
	reachAskedMoved   = "delivery asked about after its customer moved"
	reachErasePending = "customer with a pending delivery erased"
	reachEraseTwice   = "customer erased twice"
	reachEraseMerged  = "merge that came to an erased customer"
	reachErasedEvent  = "event of an erased customer"
	reachMergedElse   = "merge into another customer refused"
	reachNoState      = "merge of a customer whom nobody had seen"
)

func mergeRare() []string {
	return append(audit.MergeNotes(), reachMergeAcross, reachPartsCut, reachCarriedTwice, reachLateEvent,
		reachLateResult, reachAskedMoved, reachErasePending, reachEraseTwice, reachEraseMerged, reachErasedEvent,
		reachMergedElse, reachNoState)
}
