package audit

// Notes of what the model learned of campaigns that rest, activate and are asked anew.
const (
	NoteThawed      = "chain goes on after a pause"
	NoteThawedMoved = "chain that was moved during a pause goes on"
	NoteKept        = "entry kept by a pause"
	NoteKeptOld     = "kept entry too old when it is offered"
	NoteOffered     = "kept entry offered"
)

func modelNotes() []string {
	return []string{NoteThawed, NoteThawedMoved, NoteKept, NoteKeptOld, NoteOffered}
}
