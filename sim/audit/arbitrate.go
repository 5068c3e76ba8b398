package audit

import (
	"cmp"
	"slices"
)

// asks is a chain that stands at a send: it waits for its turn to be decided, or is
// held by quiet hours or a cap.
type asks struct {
	standing bool
	held     bool
	left     []string // channels to be decided
	due      int64    // planned instant of the deliveries
	shown    []string // channels that have their line that says deferred
	caps     []string // that it waits for
	handed   bool     // a channel was handed off
	dropped  bool     // one was dropped
}

// stand has the chain wait for its turn.
func (ch *chain) stand(s Step) {
	ch.asks = asks{standing: true, left: slices.Clone(s.Send.Channels), due: ch.planned}
}

// holds says whether the chain waits with a message: not while a version makes another step
// of the send.
func (ch *chain) holds() bool {
	s, _ := ch.step()
	return ch.live() && ch.asks.held && s.Send != nil
}

// again has a held chain ask anew.
func (ch *chain) again() {
	if ch.still() {
		ch.stuck = true
		return
	}
	ch.stuck, ch.thaw = false, 0
	ch.asks.standing, ch.asks.held = true, false
	ch.resting, ch.timed = false, false
}

// settle runs the chains that entered or were advanced, and decides the deliveries of
// the customer that are due now, one chain at a time, until all rest. What steps set
// meanwhile can start more.
func (a *Auditor) settle(c *customer) {
	for again := true; again; {
		a.runMoved(c)
		a.decideAll(c)
		again = a.levels(c)
	}
}

// decideAll decides what stands, in the order of arbitration.
func (a *Auditor) decideAll(c *customer) {
	for {
		var next *chain
		for _, ch := range c.chains {
			if ch.live() && ch.asks.standing && (next == nil || ch.before(next)) {
				next = ch
			}
		}
		if next == nil {
			return
		}
		a.decide(next)
	}
}

// before: transactional first, priority, due time, campaign name, entry number.
func (ch *chain) before(o *chain) bool {
	return cmp.Or(
		cmp.Compare(ch.rank(), o.rank()),
		cmp.Compare(o.def.Policy.Priority, ch.def.Policy.Priority),
		cmp.Compare(ch.asks.due, o.asks.due),
		cmp.Compare(ch.def.Name, o.def.Name),
		cmp.Compare(ch.entry, o.entry),
	) < 0
}

func (ch *chain) rank() int {
	s, _ := ch.step()
	if ch.def.category(s.Send) == Transactional {
		return 0
	}
	return 1
}

// decide decides the channels of a step; the chain goes on when all are decided.
func (a *Auditor) decide(ch *chain) {
	s, ok := ch.step()
	if !ok || s.Send == nil {
		ch.asks = asks{}
		ch.end(a, Exited)
		return
	}
	ch.version = ch.def.Version
	ch.asks.standing, ch.asks.caps = false, nil
	left := ch.asks.left
	ch.asks.left = nil
	var wake int64
	failed := false
	for _, channel := range left {
		if !slices.Contains(s.Send.Channels, channel) {
			continue // a new version took it away while the chain was held
		}
		v := a.verdict(ch, s, channel)
		switch {
		case v.until != 0:
			ch.asks.left = append(ch.asks.left, channel)
			ch.asks.caps = append(ch.asks.caps, v.caps...)
			if wake == 0 || v.until < wake {
				wake = v.until
			}
			if !slices.Contains(ch.asks.shown, channel) {
				ch.asks.shown = append(ch.asks.shown, channel)
				a.line(ch, s, channel, Deferred, v.reason)
			}
		case v.reason != "":
			a.line(ch, s, channel, Dropped, v.reason)
			ch.asks.dropped = true
			failed = failed || v.reason == "missing_variable"
			if v.exit {
				a.note(NoteCapExit)
				ch.end(a, Exited)
				return
			}
		default:
			a.deliver(ch, s, channel)
			ch.asks.handed = true
		}
	}
	if len(ch.asks.left) > 0 {
		ch.asks.held, ch.sent = true, false
		ch.resting, ch.timed, ch.due, ch.wake = true, true, wake, 0
		return
	}
	dropped := ch.asks.dropped && !ch.asks.handed
	ch.asks = asks{}
	target := ""
	switch {
	case failed && s.Send.OnFail != "":
		a.note(NoteOnFail)
		target = s.Send.OnFail
	case !dropped || s.Send.OnDrop == DropNext:
	case s.Send.OnDrop == DropExit:
		a.note(NoteDropExit)
		ch.end(a, Exited)
		return
	case s.Send.OnDrop != "":
		a.note(NoteDropGoto)
		target = s.Send.OnDrop
	}
	ch.leave(target)
	ch.run(a)
}

// line writes down what was decided of one message.
func (a *Auditor) line(ch *chain, s Step, channel, status, reason string) {
	d := Delivery{
		Campaign: ch.def.Name, Version: ch.version, Customer: ch.customer.id, Key: ch.key, Entry: ch.entry,
		Step: s.ID, Channel: channel, At: a.now, Due: ch.asks.due, TriggerID: ch.trigger.ID,
		Status: status, Reason: reason,
	}
	if n := len(ch.passed); n > 0 {
		d.Variant = ch.passed[n-1].Variant
	}
	a.deliveries = append(a.deliveries, d)
}

// deliver hands a message off, or notes the ghost of one.
func (a *Auditor) deliver(ch *chain, s Step, channel string) {
	c := ch.customer
	ch.delivered, ch.lastDelivery, ch.lastStep, ch.sent = true, a.now, s.ID, true
	ch.updateMaturity(a)
	if slices.Contains(ch.asks.shown, channel) {
		a.note(NoteDeferredLeft)
	}
	if ch.heldOut {
		a.note(NoteGhost)
		a.line(ch, s, channel, Ghost, "")
		return
	}
	a.line(ch, s, channel, HandedOff, "")
	p := &pending{
		chain: ch, step: s.ID, channel: channel, attempt: 1, number: c.handed(ch, s.ID, channel),
		expires: a.now + cmp.Or(s.Send.Expires.Milliseconds(), defaultExpires),
	}
	c.pending = append(c.pending, p)
	for _, name := range a.capsOf(ch, s, channel) {
		c.uses = append(c.uses, use{cap: name, at: a.now, of: p})
	}
	if key, ok := ch.dedupeKey(); ok && c.keys[key].until <= a.now { // else it holds it, for as long as it did
		c.keys[key] = holder{ch, a.now + ch.def.Policy.DedupeWindow.Milliseconds()}
	}
}

// handed numbers the message handed off last among those of its step and channel, which
// loops repeat.
func (c *customer) handed(ch *chain, step, channel string) int {
	n := 0
	for _, d := range c.a.deliveries[c.begins:] {
		if d.Status == HandedOff && d.Customer == c.id && d.Campaign == ch.def.Name && d.Entry == ch.entry &&
			d.Step == step && d.Channel == channel {
			n++
		}
	}
	return n - 1 + ch.carried[step+"\x00"+channel]
}
