package audit

// What is kept for an event is one counter, of all that happened since somebody asks for any
// of it, with the sums of the properties that are asked for, each since it is; and one more
// for the windows, which keeps what the longest can see.
const (
	ofSum     = "sum "    // of a property
	ofWindows = "windows" // of any length
)

// tally is the customer's count or sum that a comparison asks for. What is exactly as
// old as the window counts no more.
func (c *customer) tally(q Comparison) float64 {
	n, sum := 0, 0.0
	for _, e := range c.inWindow(q) {
		if q.Window != 0 && c.a.instant()-e.Time >= q.Window.Milliseconds() {
			continue
		}
		n++
		v := c.a.amount(c.a.at(e.Properties, q.Sum))
		sum += v
	}
	if q.Sum != "" {
		return sum
	}
	return float64(n)
}

// amount is what a value counts as: nothing where it is no number.
func (a *Auditor) amount(v any) float64 {
	n, ok := amount(v)
	if _, isText := v.(string); isText {
		a.note(map[bool]string{true: NoteNumericText, false: NoteBadNumber}[ok])
	}
	return n
}

// inWindow are the events that count for a comparison, those that a window has let go included as long
// as they are kept.
func (c *customer) inWindow(q Comparison) (all []*Event) {
	keeps := q.keeps()
	of := counter{event: q.Count, of: keeps[len(keeps)-1]}
	for _, e := range c.since(c.a.sinceIn(c.a.asked, of), q.Count, nil) {
		if q.Window == 0 || !e.past {
			all = append(all, e)
		}
	}
	return all
}

// keeps names what is kept for a comparison, what it looks at last.
func (q Comparison) keeps() []string {
	of := ""
	if q.Window != 0 {
		of = ofWindows
	}
	if q.Sum == "" {
		return []string{of}
	}
	return []string{of, of + ofSum + q.Sum}
}

// passes has the windows of an event forget what is too old for the longest of them when it
// happens again: a longer one that is asked for later does not see it.
func (c *customer) passes(again *Event) {
	longest, ok := c.a.longest[again.Name]
	for _, e := range c.events {
		if ok && e.Name == again.Name && e.Time <= c.a.now-longest {
			e.past = true
		}
	}
}
