package machine

import (
	"slices"
	"sort"
	"strings"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/internal/clip"
)

// message captures what the deliveries of a send say and to whom, once for all channels. The values
// are a JSON object; with "to" the recipient is its first member, for example
// {"to":"ann@example.com","customer.traits.name":"Ann"}. A recipient without a value is missing
// like any other variable.
func (sd *sends) message(p *program.Program, step string, s *program.Send, ch *customer.Chain) *message {
	msg := &message{key: sd.dedupeKey(p)}
	msg.values, msg.missing = sd.capture(p, p.Needs[step], ch)
	if s.To == nil || msg.missing != "" {
		return msg
	}
	to, _ := sd.identifier(s.To)
	if to == "" {
		msg.missing = "to"
		return msg
	}
	named := jsonvalue.AppendString([]byte(`{"to":`), clip.Text(to, maxRecipient))
	if len(msg.values) > len("{}") {
		named = append(append(named, ','), msg.values[1:]...)
	} else {
		named = append(named, '}')
	}
	msg.values = named
	return msg
}

// capture returns the values that a message names: a JSON object from path to value, sorted by path,
// nil when it names none. missing is the first path that has no value and no fallback.
//
// Values are captured when the send is decided: a later change of the profile, while the channel
// retries, does not change the message.
func (sd *sends) capture(
	p *program.Program,
	needs []program.Variable,
	ch *customer.Chain,
) (values []byte, missing string) {
	if len(needs) == 0 {
		return nil, ""
	}
	// Sorted, so that equal values have equal bytes whatever order the template has them in.
	sorted, byPath := needs, func(a, b program.Variable) int { return strings.Compare(a.Path, b.Path) }
	if !slices.IsSortedFunc(needs, byPath) {
		sorted = slices.Clone(needs)
		slices.SortFunc(sorted, byPath)
	}
	values = []byte{'{'}
	seen := ""
	for _, v := range sorted {
		path, text := v.Path, sd.lookup(p, v.Path, ch)
		if text == nil {
			// "list.size" and the like are no members; the whole list is captured under its own
			// path.
			path, text = sd.listOf(p, v.Path, ch)
		}
		switch {
		// A variable with a fallback may be missing. One that is itself the fallback of another is
		// needed only where that one is empty.
		case text == nil && !v.Optional && (v.Unless == "" || sd.isEmpty(p, v.Unless, ch)):
			return nil, v.Path
		case text == nil || path == seen:
			continue
		}
		seen = path
		if len(values) > 1 {
			values = append(values, ',')
		}
		values = append(append(jsonvalue.AppendString(values, path), ':'), text...)
	}
	return append(values, '}'), ""
}

// isEmpty reports whether a template would take the fallback of a variable: the variable is missing,
// false or empty.
func (sd *sends) isEmpty(p *program.Program, path string, ch *customer.Chain) bool {
	text := sd.lookup(p, path, ch)
	if text == nil {
		_, text = sd.listOf(p, path, ch)
	}
	switch string(text) {
	case "", "false", `""`, "[]", "{}":
		return true
	}
	return false
}

// listOf returns the list or text of which a path names the size, the first or the last element, as
// templates can, and the path of it: of customer.traits.orders.size that is customer.traits.orders.
// text is nil when there is none.
func (sd *sends) listOf(p *program.Program, path string, ch *customer.Chain) (at string, text []byte) {
	parts := jsonvalue.SplitPath(path)
	for i := 2; i < len(parts); i++ {
		if parts[i] != "size" && parts[i] != "first" && parts[i] != "last" {
			continue
		}
		at = jsonvalue.JoinPath(parts[:i]...)
		if text = sd.lookup(p, at, ch); len(text) > 0 && (text[0] == '[' || text[0] == '"' && parts[i] == "size") {
			return at, text
		}
	}
	return "", nil
}

// lookup returns the JSON text of a variable, nil when it is missing. The path begins with
// customer, trigger, chain or campaign, as in docs/reference. For example,
// trigger.properties.total, or chain.variants.subject.
func (sd *sends) lookup(p *program.Program, path string, ch *customer.Chain) []byte {
	root, rest, _ := strings.Cut(path, ".")
	name, inner, _ := strings.Cut(rest, ".")
	switch root {
	case "customer":
		switch name {
		case "id":
			return jsonvalue.AppendString(nil, sd.c.ID)
		case "traits":
			return member(sd.scope.Customer.Traits.Object(), inner)
		case "timezone":
			if zone := sd.scope.Customer.Zone(); zone != "" {
				return jsonvalue.AppendString(nil, zone)
			}
			return nil
		case "created_at":
			return jsonvalue.AppendString(nil, unit.FormatTime(sd.c.CreatedAt))
		case "tags":
			return appendJSONTexts(nil, sd.c.Tags)
		}
	case "trigger":
		return sd.lookupTrigger(name, inner)
	case "chain":
		return ch.Lookup(name, inner)
	case "campaign":
		if name == "name" {
			return jsonvalue.AppendString(nil, p.Name)
		}
	}
	return nil
}

// lookupTrigger is lookup for the trigger event of the scope's chain: name is what follows
// "trigger.", inner the rest. A chain without an event has no values.
func (sd *sends) lookupTrigger(name, inner string) []byte {
	view := &sd.scope.Trigger
	if view.Event == nil {
		return nil
	}
	switch name {
	case "id":
		return jsonvalue.AppendString(nil, view.Event.ID)
	case "name":
		return jsonvalue.AppendString(nil, view.Event.Name)
	case "time":
		return jsonvalue.AppendString(nil, unit.FormatTime(view.Event.Time))
	case "properties":
		return member(view.Props.Object(), inner)
	case "context":
		return member(view.Context.Object(), inner)
	}
	return nil
}

// variableFacts returns the values that a step's message names, as facts sorted by path.
func (sd *sends) variableFacts(p *program.Program, step string, ch *customer.Chain) (facts []trace.Fact) {
	needs := append([]program.Variable(nil), p.Needs[step]...)
	sort.Slice(needs, func(i, j int) bool { return needs[i].Path < needs[j].Path })
	for _, v := range needs {
		facts = append(
			facts,
			trace.Fact{Name: v.Path, Value: clip.Text(string(sd.lookup(p, v.Path, ch)), trace.MaxFact)},
		)
	}
	return facts
}
