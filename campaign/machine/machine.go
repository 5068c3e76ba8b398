package machine

import (
	"time"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// Machine applies records and timers to customers of one workspace. It keeps
// scratch memory between calls and belongs to one goroutine.
//
// It coordinates the parts below, which decide what follows from an input, and calls them in the
// order of the language. Each part has its own fields, which no other touches; it calls the parts
// above it in this list and none below. What all of them see of an input is in turn.
type Machine struct {
	turn

	// The parts, in an order in which each only calls those before it.
	//
	// rows orders what is written; zones, matching and profile answer questions about the customer and the
	// event; experiments, goals, deliveries and emitter keep account; sends and chains act; entries and
	// triggers start chains; merge joins customers; explain only notes.
	rows        rows
	zones       zones
	matching    matching
	profile     profile
	experiments experiments
	goals       goals
	deliveries  deliveries
	emitter     emitter
	sends       sends
	chains      chains
	entries     entries
	triggers    triggers
	merge       merger
	explain     explainer

	// deriving says that what steps emitted is being applied: Apply and Fire then leave what follows to the
	// outermost call.
	deriving bool
	// holdMark delays timers: those due at or before it (ms) wait; 0: none. See Hold.
	holdMark int64
}

// New returns a machine without campaigns; Use gives it some.
func New() *Machine {
	m := new(Machine)
	m.connect()
	return m
}

// connect gives each part the turn and the parts that it calls. It gets no other, so no part can call
// one that stands after it in Machine.
func (m *Machine) connect() {
	t := &m.turn
	t.set, t.scope, t.out = active.NewSet(nil, map[string]uint64{}, 0), expr.NewScope(), &m.rows
	m.rows = rows{turn: t}
	m.zones = zones{turn: t, byName: map[string]*time.Location{}}
	m.matching = matching{turn: t}
	m.profile = profile{turn: t, zones: &m.zones}
	m.experiments = experiments{turn: t}
	m.goals = goals{turn: t, matching: &m.matching, experiments: &m.experiments}
	m.deliveries = deliveries{turn: t}
	m.emitter = emitter{turn: t}
	m.sends = sends{turn: t, zones: &m.zones, experiments: &m.experiments}
	m.chains = chains{
		turn: t, zones: &m.zones, profile: &m.profile, matching: &m.matching, experiments: &m.experiments,
		goals: &m.goals, deliveries: &m.deliveries, emitter: &m.emitter, sends: &m.sends,
	}
	m.entries = entries{turn: t, matching: &m.matching, sends: &m.sends, chains: &m.chains}
	m.triggers = triggers{turn: t, zones: &m.zones, profile: &m.profile, chains: &m.chains, entries: &m.entries}
	m.merge = merger{
		turn: t, zones: &m.zones, profile: &m.profile, deliveries: &m.deliveries, sends: &m.sends,
		chains: &m.chains, entries: &m.entries, triggers: &m.triggers,
	}
	m.explain = explainer{turn: t, sends: &m.sends, chains: &m.chains, entries: &m.entries, triggers: &m.triggers}
}

// begin starts an input: it takes up a customer at now and resets what the parts keep for one input.
// Everything that follows is written to out.
func (m *Machine) begin(c *customer.Customer, now int64, out *output.Output) {
	m.turn.begin(c, now)
	m.rows.begin(out)
	m.sends.begin()
	m.chains.begin()
	m.entries.begin()
	m.triggers.notedProfile()
	if m.trace != nil {
		m.trace.Step(trace.Step{At: now, What: "record"})
	}
}

// Use makes set the active campaigns from now on. The set is shared and not changed.
func (m *Machine) Use(set *active.Set) { m.set = set }

// Observe makes t note why things happen to its customer from now on; nil ends that. It changes no
// decision and no stored byte, and makes inputs of that customer slower.
func (m *Machine) Observe(t *trace.Trace) { m.observer = t }

// Hold makes the timers due at or before mark (ms) wait, 0: none. Where the first timer of a
// customer waits, all of theirs do: what their steps make comes before them then.
func (m *Machine) Hold(mark int64) { m.holdMark = mark }
