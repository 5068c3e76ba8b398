package sim

import "github.com/nudge-engine/nudge/sim/audit"

// Rare situations. A world that never comes there has not tested it, so the
// default seeds must reach each.
const (
	reachAppend      = "crash between append and answer"
	reachCommit      = "crash between snapshot capture and commit"
	reachSaved       = "crash between commit and answer"
	reachUnstored    = "crash after a step, effects not stored"
	reachDuplicate   = "redelivery of a duplicate event"
	reachWoken       = "passivated customer woken by a timer"
	reachCascade     = "wheel cascade"
	reachZombie      = "zombie append refused"
	reachFound       = "effect message found in the log after restart"
	reachResend      = "sink resend"
	reachRecalled    = "result of a recalled delivery"
	reachPending     = "chain stopped with a pending delivery"
	reachLied        = "frame published twice"
	reachSealed      = "sealed block sent again"
	reachRetry       = "second attempt of a delivery"
	reachClockBack   = "frame stamped before log time"
	reachSomeDurable = "frames replayed from a snapshot"
	reachBarrier     = "frame held by a snapshot that waits"
	reachPassedOver  = "poison record passed over"
	reachExpired     = "delivery expired"
	reachOldAnswer   = "answer to an older attempt"
	reachStore       = "halt because the store failed"
	reachStoreStart  = "start that failed because of the store"
	reachCut         = "step cut by its timers"
	reachRolled      = "lost tail noticed"
	reachUnread      = "lost tail that nobody had read"
	reachAgain       = "lost effects computed again"
	reachUpgraded    = "another semantics takes over"
	reachRefused     = "another semantics refused"
	reachEdited      = "definitions applied while timers run"
	reachStepGone    = "chain whose step is gone"
	reachFollowed    = "chain that goes on under a later version"
	reachRecallLate  = "recall after the chain had ended"
	reachHeldCrash   = "crash while a delivery was held"
	reachTourCrash   = "crash while a bulk scan was under way"
	reachSliceCrash  = "crash in the middle of a bulk scan's slices"
	reachLoopSend    = "step sent again by a loop"
)

// Rare lists them all, those that the model notes too.
func Rare() []string {
	return append(append(append(audit.Notes(), mergeRare()...), deciderRare()...),
		reachAppend, reachCommit, reachSaved, reachUnstored, reachDuplicate, reachWoken, reachCascade,
		reachZombie, reachFound, reachResend, reachRecalled, reachPending, reachLied, reachSealed, reachRetry,
		reachClockBack, reachSomeDurable, reachBarrier, reachPassedOver, reachExpired, reachOldAnswer, reachRecallLate,
		reachCut, reachStore, reachStoreStart, reachRolled, reachUnread, reachAgain, reachUpgraded, reachRefused,
		reachEdited, reachStepGone, reachFollowed, reachHeldCrash, reachTourCrash, reachSliceCrash, reachLoopSend,
	)
}

// Reach counts rare situations by name.
type Reach map[string]int

// Add adds what another world reached.
func (r Reach) Add(other Reach) {
	for name, n := range other {
		r[name] += n
	}
}

func (w *World) mark(name string) { w.reach[name]++ }
