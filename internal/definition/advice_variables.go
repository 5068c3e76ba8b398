package definition

import (
	"encoding/json"
	"regexp"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
)

// Sample names properties that an event of a name has.
type Sample struct {
	Event      string
	Properties []string
}

// mapped is what is known of where values come from.
type mapped struct {
	traits     map[string]bool
	properties map[string]map[string]bool // event -> its properties
	started    map[string]bool            // campaigns that a step starts, with the trigger of another
}

// sources gathers what samples, scenarios and steps give.
func sources(docs []parse.Parsed, samples []Sample) *mapped {
	m := &mapped{traits: map[string]bool{}, properties: map[string]map[string]bool{}, started: map[string]bool{}}
	for _, s := range samples {
		for _, name := range s.Properties {
			m.property(s.Event, name)
		}
	}
	for _, d := range docs {
		if d.Scenario != nil {
			for i := range d.Scenario.Steps {
				m.call(d.Scenario.Steps[i].Call)
			}
		}
		if d.Campaign != nil {
			m.verbs(d.Campaign)
		}
	}
	return m
}

func (m *mapped) property(event, name string) {
	if m.properties[event] == nil {
		m.properties[event] = map[string]bool{}
	}
	m.properties[event][name] = true
}

// call takes what an event of a scenario carries.
func (m *mapped) call(e *event.Event) {
	if e == nil {
		return
	}
	names := func(text []byte) (all []string) {
		var object map[string]json.RawMessage
		if len(text) == 0 || json.Unmarshal(text, &object) != nil {
			return nil
		}
		return sorted(object)
	}
	for _, name := range names(e.Traits) {
		m.traits[name] = true
	}
	for _, name := range names(e.Properties) {
		m.property(e.Name, name)
	}
}

// verbs takes what steps set and make.
func (m *mapped) verbs(p *program.Program) {
	for i := range p.Steps {
		made := p.Steps[i].Verb.Makes()
		for _, a := range made.Traits {
			m.traits[a.Name] = true
		}
		for _, a := range made.Properties {
			m.property(made.Event, a.Name)
		}
		if made.Campaign != "" {
			m.started[made.Campaign] = true
		}
	}
}

// triggerProperties are the properties that the trigger's event is known to have, and
// what to call that event; known is false when nothing can be said.
func (m *mapped) triggerProperties(p *program.Program) (names map[string]bool, event string, known bool) {
	switch g := p.Trigger.Gives(); {
	case g.What != "":
		names = map[string]bool{}
		for _, name := range g.Names {
			names[name] = true
		}
		return names, g.What, true
	case g.Event != "":
		return m.properties[g.Event], "an event " + g.Event, !m.started[p.Name]
	}
	return nil, "", false
}

// variable splits the path of a variable into what has names of the author's, and the name.
func variable(path string) (root, name string, ok bool) {
	parts := jsonvalue.SplitPath(path)
	if len(parts) < 3 {
		return "", "", false
	}
	root = parts[0] + "." + parts[1]
	return root, parts[2], root == "customer.traits" || root == "trigger.properties" || root == "event.properties"
}

// adviseVariables finds variables of messages, without a fallback, that nothing is known
// to set: no sample of the event, no scenario, no step, and no condition that the
// campaign asks first.
func adviseVariables(d *parse.Parsed, m *mapped, say func(string, ...any)) {
	p := d.Campaign
	properties, event, known := m.triggerProperties(p)
	asked := p.TriggerText() + " " + sourceOf(p.Audience) + " " + sourceOf(p.Reentry.Key)
	told := map[string]bool{}
	p.Sends(func(step string, _ *program.Send) {
		for _, v := range d.Document.Needs[step] {
			root, name, ok := variable(v.Path)
			if v.Optional || v.Unless != "" || !ok || told[v.Path] || asks(asked, root, name) {
				continue
			}
			told[v.Path] = true
			switch {
			case root == "customer.traits" && !m.traits[name]:
				say("step %s names %s, which no step sets and no scenario gives: without it there is no message; "+
					"give it a default, or a scenario that identifies it", step, v.Path)
			case root != "customer.traits" && known && !properties[name]:
				say("step %s names %s, which no sample, scenario or step gives to %s: without it there is no message; "+
					"give it a default, or a scenario that has it", step, v.Path, event)
			}
		}
	})
}

// asks says whether a condition names a variable; of the trigger also as event.
func asks(conditions, root, name string) bool {
	roots := []string{root}
	if root != "customer.traits" {
		roots = []string{"trigger.properties", "event.properties"}
	}
	for _, r := range roots {
		quoted := regexp.QuoteMeta(name)
		pattern := regexp.QuoteMeta(r) + `(\.` + quoted + `(\W|$)|\[["']` + quoted + `["']\])`
		if regexp.MustCompile(pattern).MatchString(conditions) {
			return true
		}
	}
	return false
}
