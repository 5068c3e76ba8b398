package parse

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/program"
)

// verbSyntax is how a verb is written: the field of a step that stands for it, and what reads
// the value of that field.
type verbSyntax struct {
	word string
	// straight says that nothing inside of the verb says which step follows (of a send, some
	// fields do): a mistake in it leaves clear which steps can be reached.
	straight bool
	// unsupported verbs are read, but messages do not offer them.
	unsupported bool
	read        func(n *yaml.Node) program.Verb
}

// verbs returns the syntax of all verbs, in the order in which messages and the schema name them.
func (r *stepReader) verbs() []verbSyntax {
	return []verbSyntax{
		{word: "delay", straight: true, read: func(n *yaml.Node) program.Verb { return r.delay(n) }},
		{word: "wait", read: func(n *yaml.Node) program.Verb { return r.wait(n) }},
		{word: "send", straight: true, read: func(n *yaml.Node) program.Verb { return r.send(n) }},
		{word: "branch", read: func(n *yaml.Node) program.Verb { return r.branch(n) }},
		{word: "exit", straight: true, read: func(n *yaml.Node) program.Verb { return r.exit(n) }},
		{word: "until", straight: true, read: func(n *yaml.Node) program.Verb { return r.until(n) }},
		{word: "set", straight: true, read: func(n *yaml.Node) program.Verb { return r.setProfile(n) }},
		{word: "emit", straight: true, read: func(n *yaml.Node) program.Verb { return r.emit(n) }},
		{word: "start", straight: true, read: func(n *yaml.Node) program.Verb { return r.start(n) }},
		{word: "experiment", read: func(n *yaml.Node) program.Verb { return r.experiments.experiment(n) }},
		{word: "call", unsupported: true, read: func(n *yaml.Node) program.Verb { return r.call(n) }},
	}
}

// verbNames lists the supported verbs, for messages.
func (r *stepReader) verbNames() string {
	var names []string
	for _, v := range r.verbs() {
		if !v.unsupported {
			names = append(names, v.word)
		}
	}
	return strings.Join(names, ", ")
}
