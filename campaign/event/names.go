package event

// Names is a table of strings that repeat in many records, such as the names of workspaces, campaigns,
// steps and events. Records that are decoded with one table share one copy of each string, which saves
// most of the memory of their names. A table belongs to one goroutine. A nil table shares nothing.
type Names map[string]string

// maxNames is the greatest number of strings in a table. Event names come from outside; without a bound
// a sender with ever new names would make the table grow without end.
const maxNames = 100_000

// Of returns p as a string: the one in the table where it has one with these bytes, else a new one,
// which is added while the table has room.
func (n Names) Of(p []byte) string {
	// The compiler does not allocate for this conversion.
	if s, ok := n[string(p)]; ok {
		return s
	}
	s := string(p)
	if n != nil && len(n) < maxNames {
		n[s] = s
	}
	return s
}
