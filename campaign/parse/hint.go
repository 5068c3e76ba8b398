package parse

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/nearest"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/campaign/zone"
	"github.com/nudge-engine/nudge/internal/clip"
)

// This file says what to write instead of what is wrong.

// synonyms are the words of other languages and products for fields: the first one that an
// object may have is probably meant.
//
//nudge:constant read only
var synonyms = map[string][]string{
	"if": {"when", "where"}, "condition": {"when", "where"}, "cond": {"when", "where"},
	"filter": {"where", "when", "audience"}, "then": {"goto"}, "next": {"goto"}, "else": {"goto"},
	"sleep": {"delay"}, "pause": {"delay"}, "actions": {"steps"}, "split": {"branch", "variants"},
	"message": {"inline"}, "content": {"inline"}, "via": {"channel"}, "expression": {"when", "value"},
}

// meantField returns the field of an object that a wrong name stands for, by spelling or by
// meaning; empty when none is near. For example, "sleep" -> "delay" in a step.
func meantField(name string, fields []field) string {
	names := allNames(fields)
	if near := nearest.Name(name, names); near != "" {
		return near
	}
	for _, word := range synonyms[strings.ToLower(name)] {
		if slices.Contains(names, word) {
			return word
		}
	}
	return ""
}

// unknownField reports a field that an object does not have, with the best hint that there is.
// missing is the one that the object lacks, if it is one; given are those that it has.
func (r *reader) unknownField(
	n, key, value *yaml.Node, what string, fields []field, missing string, given map[string]bool,
) {
	// {{ name }} is an object with an object as its key to YAML.
	if key.Kind != yaml.ScalarNode {
		r.fail(n, "%s: a text that begins with {{ or { needs quotes: write \"{{ ... }}\"", what)
		return
	}
	if len(r.errs) > maxErrors { // nobody is told of it
		r.fail(key, "%s: unknown field %q", what, clip.Text(key.Value, 60))
		return
	}
	hint, meant := "", meantField(key.Value, fields)
	switch {
	case given[meant]:
		hint = fmt.Sprintf("; did you mean %q? That is given too: keep one", meant)
	case meant != "":
		hint = fmt.Sprintf("; did you mean %q?", meant)
	case missing != "":
		hint = fmt.Sprintf("; did you mean %q, which is missing?", missing)
	}
	// An event looks the same in a trigger, where it is a field.
	waits := hint == "" && what == "wait" && (key.Value == "event" || key.Value == "events")
	if waits {
		hint = "; write for example for: [{event: Order Completed}]"
	}
	if hint == "" {
		hint = r.elsewhere(key.Value, what)
	}
	switch {
	case waits:
	case n.Style&yaml.FlowStyle != 0 && value.Tag == "!!null" && value.Value == "":
		hint = fmt.Sprintf("; a text with a comma needs quotes, and a field a value: %s: ...", clip.Text(key.Value,
			60)) + hint
	case strings.Contains(key.Value, ":") && nearest.Name(before(key.Value, ":"), allNames(fields)) != "":
		hint = "; a space is missing after the colon"
	}
	r.fail(key, "%s: unknown field %q; it may have %s%s", what, key.Value, fieldNames(fields), hint)
}

// before returns the text before the first sep, all of it without one.
func before(s, sep string) string {
	head, _, _ := strings.Cut(s, sep)
	return head
}

// elsewhere says where a field belongs that is not one of the object that has it, such as "; caps
// is a field of spec.policy". It searches the shapes of the document's kind, of all kinds where
// that is unknown.
func (r *reader) elsewhere(name, what string) string {
	if what == "document" && (name == "name" || name == "labels") {
		return fmt.Sprintf("; %s is a field of metadata", name)
	}
	kinds := []string{r.kind}
	if r.kind == "" {
		kinds = Kinds()
	}
	for _, kind := range kinds {
		shape, err := ShapeOf(kind)
		if err != nil {
			continue
		}
		if path := shape.find(name, "spec"); path != "" && path != what {
			return fmt.Sprintf("; %s is a field of %s", name, path)
		}
	}
	return ""
}

// find returns the path of the object nearest to the root that has a field, breadth first; empty
// when none has it.
func (s *Shape) find(name, path string) string {
	type place struct {
		shape *Shape
		path  string
	}
	for level := []place{{s, path}}; len(level) > 0; {
		var next []place
		for _, p := range level {
			for i := range p.shape.Any {
				next = append(next, place{&p.shape.Any[i], p.path})
			}
			if p.shape.Item != nil {
				next = append(next, place{p.shape.Item, p.path})
			}
			for _, f := range p.shape.Fields {
				if f.Name == name {
					return p.path
				}
				next = append(next, place{f.Shape, p.path + "." + f.Name})
			}
		}
		level = next
	}
	return ""
}

// allNames returns the names of fields, those of a later version included.
func allNames(fields []field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return names
}

// examples are fields whose value is not plain from their name; those of one object
// only begin with its name.
//
//nudge:constant read only
var examples = map[string]string{
	"apiVersion": "apiVersion: nudge/v1", "kind": "kind: Campaign", "metadata": "metadata: {name: my-campaign}",
	"metadata.name": "name: my-campaign", "trigger.event.name": "name: Cart Updated",
	"trigger": "trigger: {event: {name: Cart Updated}}", "steps": "steps: with a list of steps",
	"document.spec": "spec: and below it, indented, what it says", "step.id": "id: remind",
	"event": "event: Order Completed",
	"goto":  "goto: STEP", "goal.id": "id: bought", "max": "max: 3", "window": "window: 24h", "limit": "limit: 3",
	"channel.type": "type: console", "until.at": `at: "09:00"`, "scenario.at": "at: 2026-03-01T10:00:00Z",
	"from": `from: "21:00"`, "to": `to: "09:00"`, "for": "for: 2h", "reaches": "reaches: 3", "percent": "percent: 10",
	"trigger.date.path": "path: customer.traits.birthday", "trigger.change.path": "path: customer.traits.level",
	"variants": "variants: [{id: a}, {id: b}]", "campaign": "campaign: NAME", "length": "length: 3",
	"crosses": "crosses: up", "trigger.threshold.at": "at: 100", "trigger.segment.when": `when: customer.tagged("vip")`,
	"trigger.threshold.value": "value: customer.traits.balance", "policy.dedupe.key": "key: trigger.properties.cart_id",
}

// goalHint suggests the goal of a campaign that was probably meant; for a campaign without goals it
// says what to add.
func goalHint(name string, p *program.Program) string {
	if len(p.Goals) == 0 {
		return fmt.Sprintf("; the campaign has none: write for example goals: [{id: %s, event: Order Completed, "+
			"window: 7d}]", name)
	}
	names := make([]string, len(p.Goals))
	for i := range p.Goals {
		names[i] = p.Goals[i].ID
	}
	if hint := nearest.Hint(name, names); hint != "" {
		return hint
	}
	return "; there are " + strings.Join(names, ", ")
}

// example says what to write for a field that is missing; empty where its name says it all.
func example(what, name string) string {
	for _, key := range []string{what + "." + name, name} {
		if text := examples[key]; text != "" {
			return "; write for example " + text
		}
	}
	return ""
}

// noText says why a node is no text. Where nothing is written it shows what to write.
func noText(n *yaml.Node, what string) string {
	hint := insteadOf(n, yaml.ScalarNode)
	if dot := strings.LastIndex(what, "."); n.Tag == "!!null" && dot > 0 {
		const nothing = "nothing is written here"
		hint = strings.Replace(hint, nothing, nothing+example(what[:dot], what[dot+1:]), 1)
	}
	return hint
}

// insteadOf says why a node is not of the wanted kind, and how to write it.
func insteadOf(n *yaml.Node, want yaml.Kind) string {
	switch {
	case n.Kind == yaml.AliasNode, n.Kind == yaml.ScalarNode && (n.Anchor != "" || ownTag(n)):
		return quoteHint(n)
	case n.Tag == "!!null" && want == yaml.ScalarNode:
		return `, and nothing is written here; a text that begins with # needs quotes`
	case n.Tag == "!!null":
		return ", and nothing is written here; what belongs to it is indented deeper than its name"
	case want == yaml.MappingNode && n.Kind == yaml.SequenceNode:
		return ", not a list: remove the - or the [ ]"
	case want == yaml.SequenceNode && n.Kind == yaml.MappingNode:
		return `: write "- " before each of its items`
	case want == yaml.SequenceNode:
		return fmt.Sprintf(": write [%s]", clip.Text(n.Value, 60))
	case want == yaml.ScalarNode && n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle != 0:
		return ": a text that begins with { needs quotes, for example \"{{ customer.id }}\""
	case want == yaml.ScalarNode && n.Kind == yaml.SequenceNode && n.Style&yaml.FlowStyle != 0:
		return ", not a list: a text that begins with [ needs quotes; of a list only one can be written here"
	case want == yaml.ScalarNode && n.Kind == yaml.SequenceNode:
		return ", not a list: remove the -"
	case want == yaml.ScalarNode && n.Kind == yaml.MappingNode:
		return `, not an object: a text with ": " in it needs quotes`
	default:
		return ""
	}
}

// wrapped shows how a value is written where an object with it is needed: "wait: 2h" -> "{timeout:
// 2h}".
func (r *reader) wrapped(n *yaml.Node, fields []field) string {
	if name := before(n.Value, ":"); name != n.Value && slices.Contains(allNames(fields), name) {
		return ": write a space after the colon"
	}
	shape, err := ShapeOf(r.kind)
	if err != nil || n.Value == "" {
		return "" // nobody knows the kind
	}
	if object := shape.object(allNames(fields)); object != nil {
		if text := object.holding(n.Value); text != "" {
			return ": write " + text
		}
	}
	return ""
}

// object returns the object that has just these fields, at any depth of a shape; nil when there is
// none.
func (s *Shape) object(names []string) *Shape {
	inside := []*Shape{s.Item}
	for i := range s.Any {
		inside = append(inside, &s.Any[i])
	}
	own := 0
	for _, f := range s.Fields {
		inside = append(inside, f.Shape)
		if slices.Contains(names, f.Name) {
			own++
		}
	}
	if own > 0 && own == len(s.Fields) {
		return s
	}
	for _, child := range inside {
		if child == nil {
			continue
		}
		if found := child.object(names); found != nil {
			return found
		}
	}
	return nil
}

// holding returns an object of a shape with a value in the field that can take it: the only one
// that is required, a word or a duration of its kind, or an event; empty when there is none.
func (s *Shape) holding(value string) string {
	_, notDuration := unit.ParseDuration(value)
	var required []ShapeField
	event := ""
	for _, f := range s.Fields {
		if f.Required {
			required = append(required, f)
		}
		switch {
		case f.Shape.Kind == ShapeWord && slices.Contains(f.Shape.Words, value),
			f.Shape.Kind == ShapeDuration && notDuration == nil:
			return fmt.Sprintf("{%s: %s}", f.Name, value)
		case f.Name == "event" && f.Shape.Kind == ShapeText:
			event = fmt.Sprintf("{event: %s}", clip.Text(value, 60))
		case f.Name == "event" && f.Shape.Kind == ShapeObject:
			if inner := f.Shape.holding(value); inner != "" {
				event = fmt.Sprintf("{event: %s}", inner)
			}
		}
	}
	if len(required) == 1 && (required[0].Shape.Kind != ShapeName || program.IsName(value)) &&
		slices.Contains([]ShapeKind{ShapeText, ShapeName, ShapeExpression}, required[0].Shape.Kind) {
		return fmt.Sprintf("{%s: %s}", required[0].Name, clip.Text(value, 60))
	}
	return event
}

// ownTag reports whether YAML took the beginning of a text for a tag, as in !important.
func ownTag(n *yaml.Node) bool {
	return strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!")
}

// quoteHint is for a text whose beginning YAML took for a sign of its own: * an alias, & an anchor,
// ! a tag.
func quoteHint(n *yaml.Node) string {
	var text string
	switch {
	case n.Kind == yaml.AliasNode:
		text = "*" + n.Value
	case n.Anchor != "":
		text = strings.TrimSpace("&" + n.Anchor + " " + n.Value)
	default:
		text = strings.TrimSpace(n.Tag + " " + n.Value)
	}
	mark := "'"
	if !strings.ContainsAny(text, `"\`) {
		mark = `"`
	}
	return fmt.Sprintf(": a text or expression that begins with %s needs quotes: write %s%s%s", text[:1], mark,
		clip.Text(text, 60), mark)
}

// cutShort says that a comment ended a text without quotes, if a quote is open in front of it.
func (r *reader) cutShort(n *yaml.Node) string {
	if n.Style == 0 && strings.HasPrefix(n.LineComment, "#") && strings.Count(n.Value, `"`)%2 == 1 {
		return `; " #" begins a comment: put all of the expression in quotes`
	}
	return ""
}

// noNamePattern matches what a name cannot have.
var noNamePattern = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// CheckName returns an error for a text that is no name: it says what a name may have, and the name
// that is nearest.
func CheckName(s string) error {
	if program.IsName(s) {
		return nil
	}
	return fmt.Errorf("%q: use letters, digits, '-' and '_', at most 64%s", s, nameHint(s))
}

// nameHint suggests a name near to a text: "Spring carts!" -> "; for example Spring-carts". It is
// empty when nothing is left of the text.
func nameHint(s string) string {
	name := strings.Trim(noNamePattern.ReplaceAllString(s, "-"), "-_")
	if name == "" || !program.IsName(name) {
		return ""
	}
	return fmt.Sprintf("; for example %s", name)
}

// booleanHint says how to write what means yes or no.
func booleanHint(n *yaml.Node) string {
	switch strings.ToLower(n.Value) {
	case "yes", "on", "y", "1":
		return ": write true"
	case "no", "off", "n", "0":
		return ": write false"
	case "true", "false":
		return ": write it without quotes"
	default:
		return ""
	}
}

// numberPattern matches a number at the beginning of a text.
var numberPattern = regexp.MustCompile(`^-?\d+(\.\d+)?`)

// numberHint says how to write a number that is in quotes or has a unit: "10%" -> ": write 10".
func numberHint(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode {
		return insteadOf(n, yaml.ScalarNode)
	}
	switch number := numberPattern.FindString(n.Value); {
	case number == "" || n.Tag == "!!int" || n.Tag == "!!float":
		return ""
	case number == n.Value:
		return ": write it without quotes"
	default:
		return fmt.Sprintf(": write %s", number)
	}
}

// zoneHint suggests the zone that was probably meant: a city alone, or a name almost right. "Kyiv"
// -> Europe/Kyiv.
func zoneHint(s string) string {
	names := zone.Names()
	city := func(name string) string { return name[strings.LastIndex(name, "/")+1:] }
	word := strings.ReplaceAll(s, " ", "_")
	if i := slices.IndexFunc(names, func(n string) bool {
		return !strings.Contains(s, "/") && strings.Contains(n, "/") && strings.EqualFold(city(n), city(word))
	}); i >= 0 {
		return fmt.Sprintf("; did you mean %q?", names[i])
	}
	return nearest.Hint(word, names)
}

// clockPattern matches times of day as people write them: 9, 9.30, 21:00:00, 9h, 9 p.m.
var clockPattern = regexp.MustCompile(
	`(?i)^\s*(\d{1,2})(?:[:.h]?([0-5]\d))?(?::[0-5]\d)?\s*(am|pm|a\.m\.|p\.m\.|h)?\s*$`)

// clockHint writes a time of day as the language has it, "9 pm" -> "21:00"; for what is none it
// shows otherwise as an example.
func clockHint(s, otherwise string) string {
	m := clockPattern.FindStringSubmatch(s)
	if m == nil {
		return `for example "` + otherwise + `"`
	}
	hour, err := strconv.Atoi(m[1])
	half := strings.ToLower(m[3])
	switch {
	case strings.HasPrefix(half, "p") && hour < 12:
		hour += 12
	case strings.HasPrefix(half, "a") && hour == 12:
		hour = 0
	}
	if err != nil || hour > 23 {
		return `for example "` + otherwise + `"`
	}
	minute := m[2]
	if minute == "" {
		minute = "00"
	}
	return fmt.Sprintf(`"%02d:%s"`, hour, minute)
}

// instantHint writes an instant as the language has it, taken as UTC: "01.03.2026" ->
// 2026-03-01T00:00:00Z. For what is none it shows an example.
func instantHint(s string) string {
	for _, layout := range []string{
		time.DateOnly, time.DateTime, "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04",
		"2006-01-02T15:04Z",
		"02.01.2006", "2006/01/02", "2006-01-02 15:04:05Z07:00",
	} {
		if t, err := time.Parse(layout, strings.TrimSpace(s)); err == nil && t.UnixMilli() > 0 {
			return t.UTC().Format(time.RFC3339) + " (in UTC)"
		}
	}
	return "for example 2026-03-01T00:00:00Z"
}
