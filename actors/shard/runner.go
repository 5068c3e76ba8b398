package shard

import (
	"fmt"
	"runtime/debug"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/machine"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/clip"
	"github.com/nudge-engine/nudge/internal/effect"
)

// runner runs the machine, which applies one record or timer to one customer, and contains what panics
// in it.
type runner struct {
	*partition

	defs   *definitions
	timers *timers

	// machine is given the active campaigns of the customer's workspace before each use.
	machine *machine.Machine
	image   []byte // stored form of the current customer before the current work, restored after a panic
}

// newMachine returns a machine that records into the configured trace, if there is one.
func newMachine(c *Config) *machine.Machine {
	m := machine.New()
	m.Observe(c.Trace)
	return m
}

// use returns the machine with the active campaigns of a workspace.
func (w *runner) use(workspace string) *machine.Machine {
	w.machine.Use(w.defs.set(workspace))
	return w.machine
}

// hold makes the machine keep back the timers that wait behind the catch-up barrier.
func (w *runner) hold() { w.machine.Hold(w.timers.mark()) }

// unchanged reports whether a stored form is that of the customer before the last work. Of an unguarded
// shard it is mostly false: it keeps none.
func (w *runner) unchanged(stored []byte) bool { return string(stored) == string(w.image) }

// passivate passivates some of the next n customers; see customerCache.passivate.
func (w *runner) passivate(customers *customerCache, n int) {
	w.image = customers.passivate(n, w.image)
}

// run runs work on a customer and contains a panic in it: the customer and the output
// are put back as they were, the machine is made anew because the panic may have left it
// inconsistent, and failed is called with the cause (C7).
//
// The detail has no stack and no addresses, so that it is the same bytes at each replay.
// An unguarded shard lets the panic through to its host.
func (w *runner) run(h *resident, out *effect.Effects, work func(), failed func(detail string)) {
	if w.config.Unguarded {
		work()
		return
	}
	w.image = h.c.AppendTo(w.image[:0])
	before := out.Output
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		restored, err := customer.Decode(w.image, w.names)
		if err != nil {
			panic(fmt.Sprintf("BUG: a customer cannot be read back: %v; after panic: %v\n%s", err, p, debug.Stack()))
		}
		h.c = restored
		out.Output = before
		w.machine = newMachine(&w.config)
		w.hold()
		detail := clip.Text(fmt.Sprintf("panic: %v", p), effect.MaxDetail)
		w.config.Trace.Aside(h.c.Workspace, h.c.ID, w.now, output.Decision{
			Kind: output.Deadletter, Reason: output.ReasonPanic,
			Detail: "what was asked and decided just before is undone: " + detail,
		})
		failed(detail)
	}()
	work()
}
