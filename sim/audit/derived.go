package audit

// deepest is how many records one record can lead to, one after the other.
const deepest = 8

// made is a record that a step made: an event or, with a campaign, a start.
type made struct {
	event *Event
	start string
	depth int
}

// act does what a step does without rest, and says where it goes.
func (ch *chain) act(a *Auditor, s Step) (target string) {
	c := ch.customer
	switch {
	case s.Experiment != nil:
		return ch.experiment(a, s)
	case s.Set != nil:
		a.note(NoteSet)
		changes := s.Set.Trait != "" && !same(c.traits[s.Set.Trait], s.Set.Value) ||
			s.Set.Tag != "" && c.tags[s.Set.Tag] == s.Set.Remove
		if s.Set.Trait != "" {
			c.change(s.Set.Trait, s.Set.Value)
			c.told[s.Set.Trait] = told{at: a.now, came: a.now}
		}
		if s.Set.Tag != "" {
			c.tags[s.Set.Tag] = !s.Set.Remove
		}
		if c.dirty = true; changes {
			c.dirtyDue, c.dirtyLate = ch.planned, ch.late
		}
	case s.Emit != nil:
		e := &Event{
			Customer: c.id, ID: AnyID, Name: s.Emit.Event, Time: a.now, Type: TypeTrack,
			Properties: map[string]any{"value": s.Emit.Value},
		}
		if v := ch.trigger.Properties[s.Emit.Copy]; v != nil {
			e.Properties[s.Emit.Copy] = v
		}
		ch.make(a, made{event: e, depth: ch.depth + 1})
	case s.Start != "":
		e := &Event{
			Customer: c.id, ID: AnyID, Name: "$start", Time: a.now, Type: TypeTrack,
			Properties: ch.trigger.Properties,
		}
		ch.make(a, made{event: e, start: s.Start, depth: ch.depth + 1})
	default:
		panic("BUG: step " + s.ID + " has no verb")
	}
	return ""
}

func (ch *chain) make(a *Auditor, m made) {
	if m.depth > deepest {
		a.note(NoteEmitDeep)
		return
	}
	ch.customer.made = append(ch.customer.made, m)
}

// experiment takes the way of the customer's bucket; a chain keeps its variant.
func (ch *chain) experiment(a *Auditor, s Step) (target string) {
	for _, p := range ch.passed {
		for _, v := range s.Experiment.Variants {
			if p.Step == s.ID && p.Variant == v.ID {
				return v.Goto
			}
		}
	}
	if v, ok := a.won(ch.def.Name, s); ok {
		ch.passed = append(ch.passed, Passed{s.ID, v.ID})
		a.note(NoteWinner)
		return v.Goto
	}
	salt := s.Experiment.Salt
	if salt == "" {
		salt = ch.def.Name + "/" + s.ID
	}
	bucket, end := Bucket(salt, ch.customer.id), 0
	for _, v := range s.Experiment.Variants {
		if end += v.Weight * 100; bucket < end {
			ch.passed = append(ch.passed, Passed{s.ID, v.ID})
			a.note(NoteExperiment)
			ch.expose(a, s, v.ID)
			return v.Goto
		}
	}
	panic("BUG: weights that are not 100 together")
}

// derive applies what steps made, each as a record of its own, after the customer's
// timers that are due by then.
func (a *Auditor) derive(c *customer) {
	defer func() { c.making = false }()
	for len(c.made) > 0 {
		c.making = true
		m := c.made[0]
		c.made = c.made[1:]
		a.due(c)
		c.depth = m.depth
		a.place++
		m.event.place, m.event.ringed = a.place, a.ringed[m.event.Name]
		if m.start != "" {
			a.startBy(c, m)
		} else {
			a.note(NoteEmit)
			a.apply(c, m.event, false)
		}
		c.depth = 0
	}
}

func (a *Auditor) startBy(c *customer, m made) {
	c.hand = m.event
	defer func() { c.hand = nil }()
	for i := range a.campaigns {
		if a.campaigns[i].Name == m.start {
			a.note(NoteStart)
			a.admit(c, []candidate{{campaign: i, trigger: m.event, planned: a.now, depth: m.depth}})
		}
	}
	a.settle(c)
}

// due fires the customer's timers that are due.
func (a *Auditor) due(c *customer) {
	if a.holdUntil != 0 {
		if t, ok := c.first(); ok && t.due <= a.holdMark {
			return // the customer waits as a whole
		}
	}
	for {
		t, ok := c.nextDue(a)
		if ok {
			a.fire(t)
			continue
		}
		a.runMoved(c)
		a.decideAll(c)
		if _, ok = c.nextDue(a); ok {
			continue
		}
		a.settle(c) // what steps set is looked at when all of the instant rests
		if _, ok = c.nextDue(a); !ok {
			return
		}
	}
}

// nextDue is the timer to fire next. A watch of a campaign whose chains stand at a send
// comes after the decision; which of a group enters is settled when the others have fired.
func (c *customer) nextDue(a *Auditor) (next timer, ok bool) {
	var grouped timer
	has := false
	c.timers(func(t timer) {
		watch := t.chain == nil && t.pending == nil && !t.leaves
		switch {
		case t.leaves: // after the others of its instant; see below
		case t.due > a.now || watch && c.stands(t.campaign):
		case t.settles || watch && c.per[t.campaign].asked:
			if !has || t.compare(grouped) < 0 {
				grouped, has = t, true
			}
		case !ok || t.compare(next) < 0:
			next, ok = t, true
		}
	})
	if !ok {
		next, ok = grouped, has
	}
	if t, leaves := c.leaves(); leaves && t.due <= a.now && (!ok || t.due < next.due) {
		return t, true
	}
	return next, ok
}

func (c *customer) stands(campaign int) bool {
	for _, ch := range c.chains {
		if ch.campaign == campaign && ch.live() && ch.asks.standing {
			return true
		}
	}
	return false
}
