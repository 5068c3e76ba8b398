package campaign

import (
	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/internal/wire"
)

// OnDrop says where a chain goes whose send was dropped on all of its channels; the zero
// value goes on to the next step.
type OnDrop struct {
	Exit bool
	Goto string
}

// dropped is the first refusal that dropped a channel of a send.
type dropped struct {
	refusal

	any    bool // a channel was dropped
	failed bool // the message could not be made of the values
}

func (d *dropped) add(r refusal) {
	if !d.any {
		d.any, d.refusal = true, r
	}
	d.failed = d.failed || r.reason == ReasonVariable
}

// afterSend is where a chain goes on whose send is decided on all channels; it does not
// where it ended. sent says that one of them handed its delivery off.
func (m *Machine) afterSend(t *turn, s *Send, d *dropped, sent bool) (next string, goesOn bool) {
	next = t.program.after(t.step)
	switch {
	case d.failed && s.OnFail != "":
		return s.OnFail, true
	case sent || !d.any:
		return next, true
	case s.OnDrop.Exit:
		m.end(t.chain, Exited, d.reason, d.detail)
		return "", false
	case s.OnDrop.Goto != "":
		next = s.OnDrop.Goto
		if m.trace != nil {
			m.trace.note(row(t.program, t.chain, RuleDrop, Note, textFact("then", next)))
		}
	}
	return next, true
}

// targets are the steps that can follow a send whose next step in the list is next.
func (s *Send) targets(next string) []string {
	all := []string{next}
	for _, target := range [...]string{s.OnFail, s.OnDrop.Goto} {
		if target != "" {
			all = append(all, target)
		}
	}
	return all
}

// onDrop reads next, exit or {goto: step}.
func (r *reader) onDrop(n *yaml.Node) (d OnDrop) {
	if n.Kind == yaml.ScalarNode {
		d.Exit = r.choice(n, "send.on_drop", "next", "exit") == 1
		return d
	}
	d.Goto = r.gotoObject(n, "send.on_drop")
	return d
}

// partlySentSection marks chains that rest in a send of which a channel was handed off
// before the others were put off.
//
//nudge:constant read only
var partlySentSection = section[*Chain]{
	tag:    60,
	has:    func(ch *Chain) bool { return ch.Held != nil && ch.Held.Sent },
	append: func(_ *Chain, b []byte) []byte { return b },
	decode: func(ch *Chain, _ *wire.Decoder, _ Names) {
		if ch.Held != nil { // its section comes before this one
			ch.Held.Sent = true
		}
	},
}
