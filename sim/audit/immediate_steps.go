package audit

// runImmediate runs a step that does not rest, and returns where it leads.
func (ch *chain) runImmediate(a *Auditor, s Step) (target string) {
	c := ch.customer
	switch {
	case s.Experiment != nil:
		return ch.experiment(a, s)
	case s.Set != nil:
		a.note(NoteSet)
		changes := s.Set.Trait != "" && !same(c.traits[s.Set.Trait], s.Set.Value) ||
			s.Set.Tag != "" && c.tags[s.Set.Tag] == s.Set.Remove
		if s.Set.Trait != "" {
			c.setTrait(s.Set.Trait, s.Set.Value)
			c.traitTimes[s.Set.Trait] = traitTime{eventTime: a.now, logTime: a.now}
		}
		if s.Set.Tag != "" {
			c.tags[s.Set.Tag] = !s.Set.Remove
		}
		if c.stepsChanged = true; changes {
			c.changeDue, c.changeLate = ch.planned, ch.late
		}
	case s.Emit != nil:
		e := &Event{
			Customer: c.id, ID: AnyID, Name: s.Emit.Event, Time: a.now, Type: TypeTrack,
			Properties: map[string]any{"value": s.Emit.Value},
		}
		if v := ch.trigger.Properties[s.Emit.Copy]; v != nil {
			e.Properties[s.Emit.Copy] = v
		}
		ch.emit(a, emittedRecord{event: e, depth: ch.depth + 1})
	case s.Start != "":
		e := &Event{
			Customer: c.id, ID: AnyID, Name: "$start", Time: a.now, Type: TypeTrack,
			Properties: ch.trigger.Properties,
		}
		ch.emit(a, emittedRecord{event: e, start: s.Start, depth: ch.depth + 1})
	default:
		panic("BUG: step " + s.ID + " has no verb")
	}
	return ""
}

// experiment returns where the chain's variant leads. A chain keeps its variant; else the winner
// decides, else the customer's bucket.
func (ch *chain) experiment(a *Auditor, s Step) (target string) {
	for _, p := range ch.passed {
		for _, v := range s.Experiment.Variants {
			if p.Step == s.ID && p.Variant == v.ID {
				return v.Goto
			}
		}
	}
	if v, ok := a.winnerOf(ch.def.Name, s); ok {
		ch.passed = append(ch.passed, Passed{s.ID, v.ID})
		ch.written()
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
			ch.written()
			a.note(NoteExperiment)
			ch.expose(a, s, v.ID)
			return v.Goto
		}
	}
	panic("BUG: weights that are not 100 together")
}
