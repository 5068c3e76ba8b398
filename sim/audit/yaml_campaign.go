package audit

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// YAML renders the campaign as the document that a user would apply.
func (c Campaign) YAML() string {
	var b strings.Builder
	b.WriteString("apiVersion: nudge/v1\nkind: Campaign\n")
	fmt.Fprintf(&b, "metadata: {name: %s}\nspec:\n", quote(c.Name))
	fmt.Fprintf(&b, "  trigger: {%s}\n", c.Trigger.yaml())
	if c.Audience != nil {
		fmt.Fprintf(&b, "  audience: %s\n", quote(c.Audience.CEL()))
	}
	if r := c.Reentry.yaml(); r != "" {
		fmt.Fprintf(&b, "  reentry: {%s}\n", r)
	}
	if c.MaxEventAge != 0 {
		fmt.Fprintf(&b, "  max_event_age: %s\n", Duration(c.MaxEventAge))
	}
	b.WriteString(c.more())
	if len(c.Goals) > 0 {
		b.WriteString("  goals:\n")
	}
	for _, g := range c.Goals {
		fmt.Fprintf(&b, "    - {%s}\n", g.yaml())
	}
	if len(c.Stops) > 0 {
		b.WriteString("  stop:\n")
	}
	for _, m := range c.Stops {
		fmt.Fprintf(&b, "    - {%s}\n", m.fields().text())
	}
	b.WriteString("  steps:\n")
	for _, s := range c.Steps {
		fmt.Fprintf(&b, "    - {%s}\n", s.yaml())
	}
	return b.String()
}

// more renders the members of the spec between the age of events and the goals.
func (c Campaign) more() string {
	var b strings.Builder
	line := func(given bool, name, value string) {
		if given {
			b.WriteString("  " + name + ": " + value + "\n")
		}
	}
	line(c.From != 0, "from", instant(c.From))
	line(c.Until != 0, "until", instant(c.Until))
	line(c.Zone != "", "zone", quote(c.Zone))
	line(c.Recheck, "recheck", "before_send")
	line(c.Late != "", "late", c.Late)
	c.statusLines(line)
	p := c.Policy
	f := fields{}.addIf(p.Category != "", "category", quote(p.Category))
	f = f.addIf(p.Priority != 0, "priority", strconv.Itoa(p.Priority))
	f = f.addIf(len(p.Caps) > 0, "caps", list(p.Caps))
	if p.Quiet != nil {
		f = f.add("quiet_hours", p.Quiet.yaml())
	}
	f = f.addIf(p.Group != "", "group", quote(p.Group)).addIf(p.Preempt, "preempt", "true")
	if p.DedupeProperty != "" {
		v := fields{}.add("key", quote(member("trigger.properties", p.DedupeProperty)))
		f = f.add("dedupe", "{"+v.add("window", Duration(p.DedupeWindow)).text()+"}")
	}
	percent := strconv.FormatFloat(float64(p.Holdout)/100, 'f', -1, 64)
	f = f.addIf(p.Holdout != 0, "holdout", "{percent: "+percent+"}")
	line(len(f) > 0, "policy", "{"+f.text()+"}")
	return b.String()
}

func (c Campaign) statusLines(line func(given bool, name, value string)) {
	line(c.InFlight != "", "in_flight", c.InFlight)
	line(c.Existing, "existing", "include")
	status := c.Status
	if status == Paused {
		entries := map[bool]string{false: "reject", true: "queue"}[c.Queue]
		timers := map[bool]string{false: "run", true: "freeze"}[c.Freeze]
		status = "{state: paused, entries: " + entries + ", timers: " + timers + "}"
	}
	line(status != "", "status", status)
}

// Duration writes a duration in the largest unit of the language that holds it exactly.
func Duration(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d == 0:
		return "0s"
	case d%day == 0:
		return strconv.FormatInt(int64(d/day), 10) + "d"
	case d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	case d%time.Minute == 0:
		return strconv.FormatInt(int64(d/time.Minute), 10) + "m"
	case d%time.Second == 0:
		return strconv.FormatInt(int64(d/time.Second), 10) + "s"
	}
	return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
}

// fields are the members of one YAML flow mapping, in the order added.
type fields []string

func (f fields) add(name, value string) fields { return append(f, name+": "+value) }

func (f fields) addIf(given bool, name, value string) fields {
	if !given {
		return f
	}
	return f.add(name, value)
}

func (f fields) where(p *Pred) fields {
	if p == nil {
		return f
	}
	return f.add("where", quote(p.CEL()))
}

func (f fields) text() string { return strings.Join(f, ", ") }

func (r Reentry) yaml() string {
	var f fields
	f = f.addIf(r.KeyProperty != "", "key", quote(member("event.properties", r.KeyProperty)))
	f = f.addIf(r.Mode != "", "mode", r.Mode)
	f = f.addIf(r.Mode == ModeCooldown, "cooldown", Duration(r.Cooldown))
	f = f.addIf(r.FromExit, "from", "exit")
	f = f.addIf(r.MaxActive != 0, "max_active", strconv.Itoa(r.MaxActive))
	return f.addIf(r.OnActive != "", "on_active", r.OnActive).text()
}

func (m Match) fields() fields {
	return fields{}.add("event", quote(m.Event)).where(m.Where).addIf(m.Property != "", "match", quote(m.Property))
}

func (g Goal) yaml() string {
	f := append(fields{}.add("id", quote(g.ID)), g.Match.fields()...)
	f = f.addIf(g.Window != 0, "window", Duration(g.Window))
	f = f.addIf(g.FromDelivery, "from", "delivery")
	value := member("event.properties", g.ValueProperty)
	if g.PlusProperty != "" {
		value += " + " + member("event.properties", g.PlusProperty)
	}
	f = f.addIf(g.ValueProperty != "", "value", quote(value))
	f = f.addIf(g.Currency != "", "currency", quote(member("event.properties", g.Currency)))
	f = f.addIf(g.ReverseOn != "", "reverse_on", quote(g.ReverseOn)).addIf(g.Primary, "primary", "true")
	return f.add("stop", strconv.FormatBool(g.Stop)).text()
}

func instant(at int64) string { return time.UnixMilli(at).UTC().Format("2006-01-02T15:04:05.999Z") }

func plain(v any) string {
	if s, ok := v.(string); ok {
		return quote(s)
	}
	n, _ := number(v)
	return strconv.FormatFloat(n, 'f', -1, 64)
}
