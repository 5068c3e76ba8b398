package audit

// Notes of what the model learned of campaigns that rest, activate and are asked anew.
const (
	NoteThawed      = "chain goes on after a pause"
	NoteThawedMoved = "chain that was moved during a pause goes on"
	NoteKept        = "entry kept by a pause"
	NoteKeptOld     = "kept entry too old when it is offered"
	NoteOffered     = "kept entry offered"
	NoteDropped     = "counter asked for no more"
	NoteAskedAgain  = "counter asked for again after it was dropped"
	NoteUnknown     = "entry of a key that was not remembered"
	NotePolicyHeld  = "policy changed while a send was held"
	NotePolicyCap   = "limit of a cap lowered below what was used"
	NoteObserved    = "customer who is there looked at by a campaign that begins"
	NoteIncluded    = "customer who is there asked in"
)

func modelNotes() []string {
	return []string{
		NoteThawed, NoteThawedMoved, NoteKept, NoteKeptOld, NoteOffered, NoteDropped, NoteObserved, NoteIncluded,
		NoteAskedAgain, NoteUnknown, NotePolicyHeld, NotePolicyCap,
	}
}
