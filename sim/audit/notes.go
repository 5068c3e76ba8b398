package audit

import "slices"

// note adds a coverage mark.
func (a *Auditor) note(what string) { a.notes = append(a.notes, what) }

// Noted returns the coverage marks that were hit so far.
func (a *Auditor) Noted() []string { return a.notes }

// Notes returns all coverage marks of worlds without merges. NoteEndedBefore is not among them: the
// default seeds need not hit it.
func Notes() []string {
	return append(slices.Concat(
		definitionNotes(), callNotes(), experimentNotes(), expiryNotes(), orderNotes(), formatNotes(),
		expressionNotes(),
	), []string{
		NoteLoop, NoteLateExit, NoteLateSkip, NoteReversal, NoteReversalEnded, NoteCap, NoteCapDefer, NoteCapExit,
		NoteCapEnd, NoteRefund, NoteRefundWaited, NoteDeferredLeft, NoteGhost, NoteRecheck, NoteOff, NoteDisturb,
		NoteConsent, NotePreference, NoteDedupe, NoteDedupeEnd, NoteVariable, NoteOnFail, NoteQuietHold,
		NoteQuietDrop, NoteQuietEnd, NoteHeldMoved, NoteMovedTimer, NotePreempt, NoteGroup, NoteGroupLost,
		NoteExperiment, NoteSet, NoteStreakGap, NoteBulkScanExit,
		NoteSetFires, NoteEmit, NoteEmitDeep, NoteStart, NoteStreak, NoteStreakBroken, NoteThreshold, NoteSegmentIn,
		NoteSegmentOut, NoteChange, NoteBroadcast, NoteOvertaken, NoteSchedule, NoteCalendar, NotePeriod, NoteRestarted,
		NotePaused, NoteExit, NoteArchived, NotePinned, NoteDate, NoteDateMoved, NoteDateCaught, NoteDateMissed,
	}...)
}

// Coverage marks: what happened in the model and is rare. The simulator demands that its seeds hit
// each.
const (
	NoteLoop          = "loop used up"
	NoteLateExit      = "late: exit"
	NoteLateSkip      = "late: skip"
	NoteReversal      = "conversion taken back"
	NoteReversalEnded = "conversion taken back after the chain had ended"
	NoteCap           = "cap full"
	NoteCapDefer      = "delivery deferred by a cap"
	NoteCapExit       = "chain ended by a cap"
	NoteCapEnd        = "place under a cap free at the last instant of its window"
	NoteRefund        = "place under a cap given back"
	NoteRefundWaited  = "place given back to a chain that waited for it"
	NoteDeferredLeft  = "deferred delivery left"
	NoteGhost         = "ghost of a held-out chain"
	NoteRecheck       = "audience no longer holds at the send"
	NoteOff           = "sends switched off"
	NoteDisturb       = "do not disturb"
	NoteConsent       = "no consent"
	NotePreference    = "channel not wanted"
	NoteDedupe        = "dedupe key held by another chain"
	NoteDedupeEnd     = "dedupe key free at the last instant of its window"
	NoteVariable      = "missing variable"
	NoteOnFail        = "failed delivery moved its chain"
	NoteQuietHold     = "held by quiet hours"
	NoteQuietDrop     = "dropped by quiet hours"
	NoteQuietEnd      = "send at the very end of quiet hours"
	NoteHeldMoved     = "held send decided again because of a time zone"
	NoteMovedTimer    = "waiting timer moved by a time zone"
	NotePreempt       = "chain preempted"
	NoteGroup         = "refused by a live chain of the group"
	NoteGroupLost     = "refused by another of the group at the same instant"
	NoteExperiment    = "experiment passed"
	NoteSet           = "trait set by a step"
	NoteSetFires      = "trigger fired by a step that set a trait"
	NoteEmit          = "event made by a step"
	NoteEmitDeep      = "events made too deep"
	NoteStart         = "chain started by a step"
	NoteStreak        = "streak"
	NoteStreakBroken  = "streak broken"
	NoteStreakGap     = "streak with a gap of exactly max_gap"
	NoteThreshold     = "threshold crossed"
	NoteSegmentIn     = "segment entered"
	NoteSegmentOut    = "segment left"
	NoteChange        = "attribute changed"
	NoteBroadcast     = "customer reached by a broadcast"
	NoteBulkScanExit  = "chain that a new version ends found by the broadcast that starts the next"
	NoteOvertaken     = "customer reached by a bulk scan before a record of theirs"
	NoteSchedule      = "customer reached by a schedule"
	NoteCalendar      = "customer reached on a day of a calendar"
	NotePeriod        = "entry outside of the period"
	NoteRestarted     = "wait restarted"
	NotePaused        = "refused by a pause"
	NoteExit          = "chain ended by a new version"
	NoteArchived      = "chain ended with its campaign"
	NotePinned        = "chain that kept its version"
	NoteDate          = "date came"
	NoteDateMoved     = "date moved"
	NoteDateCaught    = "date moved into the past and still fires"
	NoteDateMissed    = "date missed"
)

// Coverage marks of definitions that come, go and come again.
const (
	NoteResumed         = "chain goes on after a pause"
	NoteResumedMoved    = "chain that was moved during a pause goes on"
	NoteQueued          = "entry queued by a pause"
	NoteQueuedOld       = "queued entry too old when it is offered"
	NoteQueuedOffered   = "queued entry offered"
	NoteDropped         = "counter dropped"
	NoteCountedAgain    = "counter begun again after it was dropped"
	NoteForgottenKey    = "entry of a key that was not remembered"
	NotePolicyHeld      = "policy changed while a send was held"
	NotePolicyCap       = "limit of a cap lowered below what was used"
	NoteObserved        = "existing customer observed by a campaign that begins"
	NoteExistingEntered = "existing customer entered"
)

func definitionNotes() []string {
	return []string{
		NoteResumed, NoteResumedMoved, NoteQueued, NoteQueuedOld, NoteQueuedOffered, NoteDropped, NoteObserved,
		NoteExistingEntered, NoteCountedAgain, NoteForgottenKey, NotePolicyHeld, NotePolicyCap,
	}
}

// Coverage marks of values in other forms than they are meant.
const (
	NoteMixedIDs    = "number and text that are one id"
	NoteConsentWord = "consent in words"
	NoteBadConsent  = "consent that says neither yes nor no"
	NoteNumericText = "text counted as a number"
	NoteBadNumber   = "text that is no number"
	NoteOddZone     = "time zone in another form"
	NoteBadZone     = "time zone that is none"
	NoteOldTrait    = "identify call too old to overwrite"
	NoteOldTraitSet = "older identify call that overwrites"
	NoteDecimal     = "value back by exactly the hysteresis"
	NoteWrittenDay  = "date that repeats on the day that is written"
	NoteDropExit    = "chain ended by a dropped send"
	NoteDropGoto    = "chain led elsewhere by a dropped send"
	NoteClockGap    = "schedule at a time that clocks left out"
)

func formatNotes() []string {
	return []string{
		NoteMixedIDs, NoteConsentWord, NoteBadConsent, NoteNumericText, NoteBadNumber, NoteOddZone, NoteBadZone,
		NoteOldTrait, NoteOldTraitSet, NoteDecimal, NoteWrittenDay, NoteDropExit, NoteDropGoto, NoteClockGap,
	}
}

// Coverage marks of expressions, devices and windows.
const (
	NoteLongText        = "long number written by string()"
	NoteInside          = "sum inside of a property"
	NoteDevice          = "time zone of a device"
	NoteShownZone       = "time zone seen by an expression"
	NoteFault           = "value of a goal that cannot be computed"
	NoteCurrency        = "currency in small letters"
	NoteWindowSlid      = "segment changed when a window slid"
	NoteWindowSlidValue = "threshold crossed when a window slid"
	NoteInstantPassed   = "segment changed when now passed an instant"
)

func expressionNotes() []string {
	return []string{
		NoteLongText, NoteInside, NoteDevice, NoteShownZone, NoteFault, NoteCurrency,
		NoteWindowSlid, NoteWindowSlidValue, NoteInstantPassed,
	}
}

// Coverage marks of events that come late, or in another order than they happened.
const (
	NoteOlderTrigger   = "trigger older than that of the live chain"
	NoteStoppedBefore  = "stop that came before the trigger"
	NoteEndedBefore    = "chain ended by what came before its new trigger"
	NoteOldStop        = "stop event from before the trigger"
	NoteOldAnswer      = "event from before the trigger, or historical, that answers no wait"
	NoteAnsweredBefore = "wait answered by what came before the trigger"
	NoteReversedBefore = "conversion taken back by what came before the goal"
)

func orderNotes() []string {
	return []string{
		NoteOlderTrigger, NoteStoppedBefore, NoteOldStop, NoteOldAnswer, NoteAnsweredBefore,
		NoteReversedBefore,
	}
}

// Coverage marks of experiments that are decided.
const (
	NoteWinner        = "winner taken by a chain"
	NoteMaturityMoved = "exposure whose window moved"
)

func experimentNotes() []string { return []string{NoteWinner, NoteMaturityMoved} }

// Coverage marks of calls.
const (
	NoteCallReply   = "chain goes on by the reply of its call"
	NoteCallFailed  = "call that a chain waited for failed"
	NoteCallDropped = "call not made"
	NoteCallGhost   = "ghost of a call"
	NoteCallBeyond  = "reply to a call that nobody waits for"
)

func callNotes() []string {
	return []string{
		NoteCallReply, NoteCallFailed, NoteCallDropped, NoteCallGhost, NoteCallBeyond,
	}
}

// Coverage marks of anonymous customers who are forgotten.
const (
	NoteExpired     = "anonymous customer forgotten"
	NoteExpiredLate = "anonymous customer forgotten when the last chain had ended"
	NoteReturned    = "anonymous customer came again"
)

func expiryNotes() []string { return []string{NoteExpired, NoteExpiredLate, NoteReturned} }

// Coverage marks of merges.
const (
	NoteChainMoved   = "running chain moved by a merge"
	NotePendingMoved = "pending delivery moved by a merge"
	NoteUsesAdded    = "caps of two customers added up"
	NoteMergeEnds    = "chain ended by what the other of two had done"
	NoteMergeCount   = "count reached by a merge"
	NoteSurplus      = "surplus chain ended by a merge"
)

// MergeNotes returns those of merges.
func MergeNotes() []string {
	return []string{NoteChainMoved, NotePendingMoved, NoteUsesAdded, NoteMergeEnds, NoteMergeCount, NoteSurplus}
}
