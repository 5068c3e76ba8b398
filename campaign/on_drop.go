package campaign

// OnDrop says where a chain goes whose send was dropped on all of its channels; the zero
// value goes on to the next step.
type OnDrop struct {
	Exit bool
	Goto string
}
