package audit

// Notes of events that come late, or in another order than they happened.
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
