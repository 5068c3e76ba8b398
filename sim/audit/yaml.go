package audit

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// YAML renders the definition document of the contract.
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

// Duration writes a duration in the largest unit of the contract that holds it
// exactly.
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

// fields are the members of one flow mapping, in the order added.
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

func (t Trigger) yaml() string {
	var f fields
	switch t.Kind {
	case KindEvent:
		f = f.add("name", quote(t.Event)).where(t.Where)
	case KindCount:
		f = f.add("event", quote(t.Event)).where(t.Where).add("reaches", strconv.Itoa(t.Reaches))
	case KindInactivity:
		f = f.add("event", quote(t.Event)).where(t.Where).add("for", Duration(t.For))
		f = f.addIf(t.FromProfile, "never_done", "from_profile_created")
	default:
		f = t.more()
	}
	return t.Kind + ": {" + f.text() + "}"
}

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

func (s Step) yaml() string {
	f := fields{}.add("id", quote(s.ID))
	switch {
	case s.Delay != nil:
		d := fields{}.add("for", Duration(s.Delay.For)).addIf(s.Delay.FromEntry, "from", "entry")
		f = f.add("delay", "{"+d.text()+"}")
	case s.Wait != nil:
		f = f.add("wait", "{"+s.Wait.yaml()+"}")
	case s.Send != nil:
		quoted := make([]string, 0, len(s.Send.Channels))
		for _, c := range s.Send.Channels {
			quoted = append(quoted, quote(c))
		}
		v := fields{}.add("channels", "["+strings.Join(quoted, ", ")+"]").add("inline", s.Send.inline())
		v = v.addIf(s.Send.Expires != 0, "expires", Duration(s.Send.Expires))
		f = f.add("send", "{"+append(v, s.Send.more()...).text()+"}")
	case s.Branch != nil:
		f = f.add("branch", "["+s.Branch.yaml()+"]")
	case s.Exit:
		f = f.add("exit", "{reason: done}")
	default:
		f = append(f, s.more()...)
	}
	f = f.addIf(s.Loop != 0, "loop", "{max: "+strconv.Itoa(s.Loop)+"}")
	return f.addIf(s.Goto != "", "goto", quote(s.Goto)).text()
}

func (w Wait) yaml() string {
	var f fields
	f = f.addIf(w.Timeout != 0, "timeout", Duration(w.Timeout)).addIf(w.FromEntry, "since", "entry")
	looks := make([]string, 0, len(w.For))
	for _, l := range w.For {
		looks = append(looks, "{"+l.Match.fields().addIf(l.Goto != "", "goto", quote(l.Goto)).text()+"}")
	}
	f = f.addIf(len(looks) > 0, "for", "["+strings.Join(looks, ", ")+"]")
	if w.RestartOn != nil {
		f = f.add("restart_on", "{"+w.RestartOn.fields().text()+"}")
		f = f.addIf(w.MaxRestarts != 0, "max_restarts", strconv.Itoa(w.MaxRestarts))
	}
	return f.addIf(w.OnTimeout != "", "on_timeout", "{goto: "+quote(w.OnTimeout)+"}").text()
}

func (b Branch) yaml() string {
	arms := make([]string, 0, len(b.Arms))
	for _, a := range b.Arms {
		var f fields
		if a.When != nil {
			f = f.add("when", quote(a.When.CEL()))
		}
		arms = append(arms, "{"+f.addIf(a.Goto != "", "goto", quote(a.Goto)).text()+"}")
	}
	return strings.Join(arms, ", ")
}
