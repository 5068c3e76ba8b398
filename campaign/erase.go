package campaign

// Erase recalls what was handed off to a customer who is erased, and has not left. What
// else there is of c must be forgotten by the caller.
func (m *Machine) Erase(c *Customer, now int64, out *Output) {
	m.begin(c, now, out)
	for _, p := range c.Pending {
		m.settle(p.Delivery, StatusRecall, Recalled, ReasonErased)
	}
	c.Pending = nil
}
