package warehouse

// tables returns the rows as tables, without empty ones. Columns have the names and types that the
// migrations in schema/ give them.
func (r *rows) tables() []*Table {
	filled := make([]*Table, 0, 6)
	for _, t := range []*Table{
		r.eventTable(), r.deliveryTable(), r.decisionTable(), r.chainTable(), r.goalTable(), r.deadTable(),
	} {
		if t.Rows > 0 {
			filled = append(filled, t)
		}
	}
	return filled
}

// eventTable returns the rows of events: what happened, one row for each event that was
// applied.
func (r *rows) eventTable() *Table {
	t := &r.events
	return t.table("events",
		Column{"workspace", low, t.workspace},
		Column{"customer", text, t.customer},
		Column{"event", low, t.event},
		Column{"message_id", text, t.message},
		Column{"event_time", when, t.eventTime},
		Column{"received_at", when, t.receivedAt},
		Column{"type", low, t.kind},
		Column{"properties", text, t.properties},
		Column{"traits", text, t.traits},
		Column{"context", text, t.context},
	)
}

// deliveryTable returns the rows of deliveries, one for each state of a delivery.
func (r *rows) deliveryTable() *Table {
	t := &r.deliveries
	return t.table("deliveries", t.with(
		Column{"step", low, t.step},
		Column{"channel", low, t.channel},
		Column{"variant", low, t.variant},
		Column{"status", low, t.status},
		Column{"reason", low, t.reason},
		Column{"detail", text, t.detail},
		Column{"delivery_id", text, t.delivery},
		Column{"trigger_id", text, t.trigger},
		Column{"attempt", number, t.attempt},
		Column{"due", when, t.due},
		Column{"at", when, t.when},
	)...)
}

// decisionTable returns the rows of decisions: why a customer did or did not get a
// message.
func (r *rows) decisionTable() *Table {
	t := &r.decisions
	return t.table("decisions", t.with(
		Column{"step", low, t.step},
		Column{"kind", low, t.kind},
		Column{"reason", low, t.reason},
		Column{"detail", text, t.detail},
		Column{"event_id", text, t.event},
		Column{"at", when, t.when},
	)...)
}

// chainTable returns the states of chains. The view chains shows the last one of each.
func (r *rows) chainTable() *Table {
	t := &r.chains
	return t.table("chain_states", t.with(
		Column{"entered_at", when, t.enteredAt},
		Column{"ended_at", "Nullable(" + when + ")", t.endedAt},
		Column{"outcome", low, t.outcome},
		Column{"goal", low, t.goal},
		Column{"value", amount, t.value},
		Column{"currency", low, t.currency},
		Column{"variants", text, t.variants},
		Column{"held_out", "UInt8", t.heldOut},
		Column{"revision", "UInt64", t.revision},
	)...)
}

// goalTable returns the rows of goals that were reached or taken back.
func (r *rows) goalTable() *Table {
	t := &r.goals
	return t.table("goals", t.with(
		Column{"goal", low, t.goal},
		Column{"step", low, t.step},
		Column{"value", amount, t.value},
		Column{"currency", low, t.currency},
		Column{"event_id", text, t.event},
		Column{"at", when, t.when},
		Column{"reversal", "UInt8", t.reversal},
	)...)
}

// deadTable returns the rows of dead letters.
func (r *rows) deadTable() *Table {
	t := &r.dead
	return t.table("dead_letters",
		Column{"workspace", low, t.workspace},
		Column{"customer", text, t.customer},
		Column{"reason", low, t.reason},
		Column{"field", text, t.field},
		Column{"detail", text, t.detail},
		Column{"raw", text, t.raw},
		Column{"at", when, t.when},
	)
}
