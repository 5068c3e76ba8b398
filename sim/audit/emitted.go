package audit

// maxEmitDepth is how long a sequence of records can be in which each was made by a step that the
// one before led to.
const maxEmitDepth = 8

// emittedRecord is a record that a step made: an event or, with a campaign, a start.
type emittedRecord struct {
	event *Event
	start string
	depth int
}

// emit queues a record that a step made, unless it is too deep.
func (ch *chain) emit(a *Auditor, m emittedRecord) {
	if m.depth > maxEmitDepth {
		a.note(NoteEmitDeep)
		return
	}
	ch.customer.emitted = append(ch.customer.emitted, m)
}

// applyEmitted applies what steps made, each as a record of its own, after the customer's timers
// that are due by then.
func (a *Auditor) applyEmitted(c *customer) {
	defer func() { c.applyingEmitted = false }()
	for len(c.emitted) > 0 {
		c.applyingEmitted = true
		m := c.emitted[0]
		c.emitted = c.emitted[1:]
		a.endExiting(c) // nothing may have reached the customer before: a result led to the record
		a.fireDue(c)
		c.depth = m.depth
		a.position++
		m.event.position, m.event.recorded = a.position, a.recordedNames[m.event.Name]
		if m.start != "" {
			a.startCampaign(c, m)
		} else {
			a.note(NoteEmit)
			a.apply(c, m.event, false)
		}
		c.depth = 0
	}
}

// startCampaign applies the record of a start step.
func (a *Auditor) startCampaign(c *customer, m emittedRecord) {
	c.current = m.event
	defer func() { c.current = nil }()
	for i := range a.campaigns {
		if a.campaigns[i].Name == m.start {
			a.note(NoteStart)
			a.admit(c, []candidate{{campaign: i, trigger: m.event, planned: a.now, depth: m.depth}})
		}
	}
	a.runToQuiescence(c)
}
