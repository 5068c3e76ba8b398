package audit

// What merges led to in the model.
const (
	NoteChainMoved   = "running chain moved by a merge"
	NotePendingMoved = "pending delivery moved by a merge"
	NoteUsesAdded    = "caps of two customers added up"
	NoteMergeEnds    = "chain ended by what the other of two had done"
	NoteMergeCount   = "count reached by a merge"
	NoteYield        = "chain gave way after a merge"
)

// MergeNotes are all.
func MergeNotes() []string {
	return []string{NoteChainMoved, NotePendingMoved, NoteUsesAdded, NoteMergeEnds, NoteMergeCount, NoteYield}
}
