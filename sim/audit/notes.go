package audit

import "slices"

// Notes name what came to pass in the model and is rare; the simulator asks that its
// seeds reach each.
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
	NoteMoved         = "held chain asked anew by a time zone"
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
	NoteBroadcast     = "customer visited by a broadcast"
	NoteBulkScanExit  = "chain that a new version ends found by the broadcast that starts the next"
	NoteOvertaken     = "customer visited by a bulk scan before a record of theirs"
	NoteSchedule      = "customer visited by a schedule"
	NoteCalendar      = "customer visited on a day of a calendar"
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

// Notes are all.
func Notes() []string {
	return append(slices.Concat(
		modelNotes(), callNotes(), decidingNotes(), leavingNotes(), orderNotes(), wordNotes(), recentNotes(),
	), []string{
		NoteLoop, NoteLateExit, NoteLateSkip, NoteReversal, NoteReversalEnded, NoteCap, NoteCapDefer, NoteCapExit,
		NoteCapEnd, NoteRefund, NoteRefundWaited, NoteDeferredLeft, NoteGhost, NoteRecheck, NoteOff, NoteDisturb,
		NoteConsent, NotePreference, NoteDedupe, NoteDedupeEnd, NoteVariable, NoteOnFail, NoteQuietHold,
		NoteQuietDrop, NoteQuietEnd, NoteMoved, NoteMovedTimer, NotePreempt, NoteGroup, NoteGroupLost,
		NoteExperiment, NoteSet, NoteStreakGap, NoteBulkScanExit,
		NoteSetFires, NoteEmit, NoteEmitDeep, NoteStart, NoteStreak, NoteStreakBroken, NoteThreshold, NoteSegmentIn,
		NoteSegmentOut, NoteChange, NoteBroadcast, NoteOvertaken, NoteSchedule, NoteCalendar, NotePeriod, NoteRestarted,
		NotePaused, NoteExit, NoteArchived, NotePinned, NoteDate, NoteDateMoved, NoteDateCaught, NoteDateMissed,
	}...)
}

func (a *Auditor) note(what string) { a.notes = append(a.notes, what) }

// Noted is what came to pass so far.
func (a *Auditor) Noted() []string { return a.notes }
