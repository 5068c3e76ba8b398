package parse

import (
	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/program"
)

// triggerSyntax is how a trigger is written: the field that stands for it, and what reads the
// value of that field.
type triggerSyntax struct {
	word string
	read func(n *yaml.Node) program.Trigger
}

// triggers returns the syntax of all triggers, in the order in which messages and the schema name
// them.
func (r *triggerReader) triggers(p *program.Program) []triggerSyntax {
	return []triggerSyntax{
		{"streak", func(n *yaml.Node) program.Trigger { return r.streak(n) }},
		{"threshold", func(n *yaml.Node) program.Trigger { return r.threshold(n) }},
		{"segment", func(n *yaml.Node) program.Trigger { return r.segment(n) }},
		{"date", func(n *yaml.Node) program.Trigger { return r.date(n) }},
		{"change", func(n *yaml.Node) program.Trigger { return r.change(n) }},
		{"event", func(n *yaml.Node) program.Trigger { return r.event(n) }},
		{"count", func(n *yaml.Node) program.Trigger { return r.count(n) }},
		{"inactivity", func(n *yaml.Node) program.Trigger { return r.inactivity(n) }},
		{"broadcast", func(n *yaml.Node) program.Trigger { return r.broadcast(n) }},
		{"webhook", func(n *yaml.Node) program.Trigger { return r.webhook(n, p) }},
		{"schedule", func(n *yaml.Node) program.Trigger { return r.schedule(n) }},
	}
}
