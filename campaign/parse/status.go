package parse

import (
	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/program"
)

// status reads a word, or {state, entries, timers}, of which the last two are for paused campaigns.
func (r *campaignReader) status(n *yaml.Node, p *program.Program) {
	word := func(n *yaml.Node) {
		p.Status = program.Lifecycle(r.core.choice(n, "status", "active", "draft", "paused", "archived"))
	}
	if n.Kind == yaml.ScalarNode {
		word(n)
		return
	}
	r.core.object(n, "status",
		field{name: "state", required: true, read: word},
		field{name: "entries", read: func(n *yaml.Node) {
			p.Pause.Queue = r.core.choice(n, "status.entries", "reject", "queue") == 1
		}},
		field{name: "timers", read: func(n *yaml.Node) {
			p.Pause.Run = r.core.choice(n, "status.timers", "freeze", "run") == 1
		}})
	if p.Pause != (program.Pause{}) && p.Status != program.StatusPaused {
		r.core.fail(n, "status: entries and timers are only used with state: paused")
	}
}
