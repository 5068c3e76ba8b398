package event

// Names shares the strings that repeat in many customers: names of campaigns,
// steps, events. It belongs to one goroutine.
type Names map[string]string

// maxNames bounds the table; beyond it strings are simply not shared.
const maxNames = 100_000

// Of is p as a string, the same for equal bytes while there is room. n may be nil.
func (n Names) Of(p []byte) string {
	if s, ok := n[string(p)]; ok {
		return s
	}
	s := string(p)
	if n != nil && len(n) < maxNames {
		n[s] = s
	}
	return s
}
