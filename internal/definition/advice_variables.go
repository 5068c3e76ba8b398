package definition

import (
	"encoding/json"
	"regexp"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
)

// Sample tells which properties the events of a name have, from a catalogue of the usual events.
type Sample struct {
	Event      string
	Properties []string
}

// mapped has what is known about where the values of variables come from.
type mapped struct {
	// traits are those that a scenario identifies or a step sets.
	traits map[string]bool
	// properties maps an event name to the properties that it is known to have.
	properties map[string]map[string]bool
	// started has the campaigns that a step "start" begins. Their trigger event is the one
	// of the other campaign, whatever their own trigger says.
	started map[string]bool
}

// sources collects what samples, scenarios and steps set.
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

// property notes that an event has a property.
func (m *mapped) property(event, name string) {
	if m.properties[event] == nil {
		m.properties[event] = map[string]bool{}
	}
	m.properties[event][name] = true
}

// call notes what an event in a scenario has.
func (m *mapped) call(e *event.Event) {
	if e == nil {
		return
	}
	// names returns the members of a JSON object, in order.
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

// verbs notes which traits the steps of a campaign set, and which events they emit.
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

// triggerProperties returns the properties that the trigger event of a campaign is known to
// have, and how to call that event in a message. known is false where nothing can be said
// about it.
func (m *mapped) triggerProperties(p *program.Program) (names map[string]bool, event string, known bool) {
	switch g := p.Trigger.Gives(); {
	// Such triggers, for example a webhook with its mapping, name all properties of their events.
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

// variable splits the path of a variable into its root and the name in it. ok is false for
// variables whose names the engine defines, which always exist.
func variable(path string) (root, name string, ok bool) {
	// trigger.properties.total has three parts; customer.id has two, and always exists.
	parts := jsonvalue.SplitPath(path)
	if len(parts) < 3 {
		return "", "", false
	}
	root = parts[0] + "." + parts[1]
	return root, parts[2], root == "customer.traits" || root == "trigger.properties" || root == "event.properties"
}

// adviseVariables finds variables of messages without a fallback that nothing is known to
// set: no sample of the event, no scenario, no step, and no condition of the campaign. A
// message with such a variable may never be sent, which nobody notices.
func adviseVariables(d *parse.Parsed, m *mapped, say func(string, ...any)) {
	p := d.Campaign
	properties, event, known := m.triggerProperties(p)
	// A condition on a variable counts as knowledge of it: the author has seen it in the
	// data.
	asked := p.TriggerText() + " " + sourceOf(p.Audience) + " " + sourceOf(p.Reentry.Key)
	// One advice for a variable is enough, although several steps name it.
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

// asks reports whether a condition names a variable: then a customer without it does not
// come this far. The trigger event may be named as event or as trigger.
func asks(conditions, root, name string) bool {
	roots := []string{root}
	if root != "customer.traits" {
		roots = []string{"trigger.properties", "event.properties"}
	}
	for _, r := range roots {
		// The name may be written as a member, .name, or as an index, ["name"].
		quoted := regexp.QuoteMeta(name)
		pattern := regexp.QuoteMeta(r) + `(\.` + quoted + `(\W|$)|\[["']` + quoted + `["']\])`
		if regexp.MustCompile(pattern).MatchString(conditions) {
			return true
		}
	}
	return false
}
