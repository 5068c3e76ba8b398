package campaign

// Observe lets t note what is asked about its customer from now on; nil ends that.
func (m *Machine) Observe(t *Trace) { m.observer = t }

// recorded begins the occasion of an event.
func (m *Machine) recorded(e *Event) {
	what := "event"
	if m.depth > 0 {
		what = "derived event"
	}
	m.trace.occasion(Occasion{At: m.now, What: what, Name: e.Name, ID: e.ID, Time: e.Time})
}

// timed begins the occasion of a timer.
func (m *Machine) timed(t *timer) {
	o := Occasion{At: m.now, What: "timer", Due: m.planned}
	switch {
	case t.chain != nil:
		o.Name = t.chain.Campaign + "/" + t.chain.Step
	case t.watch != "":
		o.Name = "inactivity of " + t.watch
	case t.date > 0:
		o.Name = "date of " + t.campaign
	case t.level:
		o.Name = "value of " + t.campaign
	default:
		d := &m.c.Pending[t.pending].Delivery
		o.Name = "delivery of " + d.Campaign + "/" + d.Step
	}
	m.trace.occasion(o)
}

// visited begins the occasion of a visit.
func (m *Machine) visited(v *Visit) {
	o := Occasion{At: m.now, Due: v.Due}
	switch v.Kind {
	case VisitBroadcast:
		o.What, o.Name, o.ID, o.Time = "broadcast", v.Event.Name, v.Event.ID, v.Event.Time
	case VisitSchedule:
		o.What = "schedule"
	case VisitActivation:
		o.What = "activation"
	case VisitForget:
		o.What = "counters that are kept no more"
	}
	m.trace.occasion(o)
}

// quietly evaluates something beside the rules: it writes nothing, and is not traced.
func (m *Machine) quietly(f func()) {
	out, trace := m.out, m.trace
	m.out, m.trace = new(Output), nil
	f()
	m.out, m.trace = out, trace
}

// exprFacts completes a row with an expression (nil: none) and what it reads at present.
func (m *Machine) exprFacts(a Asked, e *Expr) Asked {
	if e == nil {
		return a
	}
	a.Source = e.Source
	parts := m.trace.apart(e.Source)
	for _, read := range parts.reads {
		v, missing, err := read.eval(m.scope)
		f := Fact{Name: read.Source}
		if err == nil && !missing {
			f.Value = factValue(v)
		}
		a.Facts = append(a.Facts, f)
	}
	if a.Answer == No && len(parts.tree.of) > 0 {
		a.Unmet = parts.tree.unmet(m.scope, nil)
	}
	return a
}
