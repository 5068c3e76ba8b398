package audit

// tally is the customer's count or sum that a comparison asks for. What is exactly as
// old as the window counts no more.
func (c *customer) tally(q Comparison) float64 {
	n, sum := 0, 0.0
	for _, e := range c.since(c.a.sinceIn(c.a.asked, counter{event: q.Count, of: q.keeps()}), q.Count, nil) {
		if q.Window != 0 && c.a.now-e.Time >= q.Window.Milliseconds() {
			continue
		}
		n++
		v, _ := number(e.Properties[q.Sum])
		sum += v
	}
	if q.Sum != "" {
		return sum
	}
	return float64(n)
}

// keeps names what is kept for a comparison: each window and sum is counted by itself.
func (q Comparison) keeps() string {
	if q.Window == 0 && q.Sum == "" {
		return ""
	}
	return q.Sum + " " + Duration(q.Window)
}
