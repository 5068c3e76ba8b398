package machine

import (
	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/program"
)

// counting are the counters that may count an event, in order.
func (m *Machine) counting(event string) []*active.CounterSpec {
	specs, x := m.set.CounterIndex(event)
	if x == nil || m.unindexed {
		return specs
	}
	m.counters, m.specs = x.Find(m.scope, m.counters[:0]), m.specs[:0]
	for _, i := range m.counters {
		m.specs = append(m.specs, specs[i])
	}
	return m.specs
}

// broadcasting are the programs whose audience may hold for a broadcast, in order.
func (m *Machine) broadcasting(event string) []*program.Program {
	all, x := m.set.BroadcastIndex(event)
	if x == nil || m.unindexed || m.trace != nil { // who asks why is told of each
		return all
	}
	return m.pick(all, x)
}

// newcomers are the programs that watch customers from their first record on and have
// something to do about one, in order.
func (m *Machine) newcomers() []*program.Program {
	all, x := m.set.ProfileIndex()
	if x == nil || m.unindexed {
		return all
	}
	return m.pick(all, x)
}

// pick is those of the programs that an index finds. It is valid until the next call.
func (m *Machine) pick(all []*program.Program, x *expr.Index) []*program.Program {
	m.found, m.programs = x.Find(m.scope, m.found[:0]), m.programs[:0]
	for _, i := range m.found {
		m.programs = append(m.programs, all[i])
	}
	return m.programs
}

// looking are the places of the segments and thresholds whose value before a record has to
// be known, in order. It is valid until the next call.
func (m *Machine) looking(w *active.TriggerIndex, created bool) []int32 {
	if w.All || m.unindexed || m.trace != nil { // who asks why is told of each
		m.found = w.Valued(m.found[:0])
	} else {
		m.found = w.Look(m.scope, m.c, created, &m.heights, m.found[:0])
	}
	return m.found
}

// concerned are the places of the programs that may do something about a record, in order,
// after it changed the customer; event says whether they see one. It is valid until the next
// call.
func (m *Machine) concerned(w *active.TriggerIndex, event bool) []int32 {
	m.found = m.found[:0]
	if w.All || m.unindexed || m.trace != nil { // who asks why is told of each
		m.found = w.Everything(m.found)
		return m.found
	}
	for i := range m.before {
		m.found = append(m.found, m.before[i].at)
	}
	m.found = w.Candidates(m.scope, m.c, m.seenTraits, event, &m.heights, m.found)
	return m.found
}
