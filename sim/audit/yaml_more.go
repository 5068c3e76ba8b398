package audit

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// HouseName is the name of the workspace's policy.
const HouseName = "house"

// YAML renders the definition document of the contract.
func (h WorkspacePolicy) YAML() string {
	var b strings.Builder
	b.WriteString("apiVersion: nudge/v1\nkind: Policy\nmetadata: {name: " + HouseName + "}\nspec:\n")
	var f fields
	f = f.addIf(h.Zone != "", "zone", quote(h.Zone)).addIf(h.Keep, "anonymous_expiry", "never")
	f = f.addIf(h.Expire != 0, "anonymous_expiry", Duration(h.Expire))
	if h.Quiet != nil {
		f = f.add("quiet_hours", h.Quiet.yaml())
	}
	f = f.addIf(len(h.Consent) > 0, "require_consent", list(h.Consent))
	f = f.addIf(len(h.Calendars) > 0, "calendars", h.calendars())
	caps := make([]string, 0, len(h.Caps))
	for _, c := range h.Caps {
		v := fields{}.add("name", quote(c.Name)).addIf(c.Channel != "", "channel", quote(c.Channel))
		v = v.addIf(c.Category != "", "category", quote(c.Category)).add("limit", strconv.Itoa(c.Limit))
		v = v.addIf(c.Window != 0, "window", Duration(c.Window)).addIf(c.Per != "", "per", c.Per)
		caps = append(caps, "{"+v.text()+"}")
	}
	f = f.add("caps", "["+strings.Join(caps, ", ")+"]")
	off := fields{}.add("workspace", strconv.FormatBool(h.OffAll)).add("channels", list(h.OffChannels))
	f = f.add("sends_off", "{"+off.add("campaigns", list(h.OffCampaigns)).text()+"}")
	for _, line := range f {
		b.WriteString("  " + line + "\n")
	}
	return b.String()
}

func list(names []string) string {
	quoted := make([]string, 0, len(names))
	for _, n := range names {
		quoted = append(quoted, quote(n))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

func ofDay(minute int) string { return fmt.Sprintf(`"%02d:%02d"`, minute/60, minute%60) }

func (q *Quiet) yaml() string {
	f := fields{}.add("from", ofDay(q.From)).add("to", ofDay(q.To)).addIf(q.Zone != "", "zone", quote(q.Zone))
	return "{" + f.addIf(q.Drop, "on_quiet", "drop").text() + "}"
}

// more renders what a campaign has besides.
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

func instant(at int64) string { return time.UnixMilli(at).UTC().Format("2006-01-02T15:04:05.999Z") }

func (t Trigger) more() fields {
	var f fields
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	switch t.Kind {
	case KindStreak:
		f = f.add("event", quote(t.Event)).where(t.Where).add("length", strconv.Itoa(t.Length))
		f = f.add("max_gap", Duration(t.MaxGap)).addIf(t.BreakOn != "", "break_on", quote(t.BreakOn))
	case KindThreshold:
		value := member("customer.traits", t.Path)
		if t.Value != nil {
			value = t.Value.value()
		}
		f = f.add("value", quote(value))
		f = f.add("crosses", map[bool]string{false: "up", true: "down"}[t.Down]).add("at", number(t.At))
		f = f.addIf(t.Hysteresis != 0, "hysteresis", number(t.Hysteresis))
	case KindSegment:
		f = f.add("when", quote(t.When.CEL())).add("on", map[bool]string{false: "enter", true: "leave"}[t.Leave])
	case KindChange:
		f = f.add("path", quote("customer.traits."+t.Path))
		f = f.addIf(t.From != nil, "from", plain(t.From)).addIf(t.To != nil, "to", plain(t.To))
	case KindBroadcast:
		f = f.add("event", quote(t.Event))
		if t.When != nil {
			f = f.add("audience", quote(t.When.CEL()))
		}
	case KindSchedule:
		if t.Calendar != "" {
			f = f.add("calendar", quote(t.Calendar)).add("at", ofDay(t.Minute))
			return f.addIf(t.Zone != "", "zone", quote(t.Zone))
		}
		cron := strconv.Itoa(t.Minute) + " * * * *"
		if t.Daily {
			cron = strconv.Itoa(t.Minute%60) + " " + strconv.Itoa(t.Minute/60) + " * * *"
		}
		f = f.add("cron", quote(cron)).addIf(t.Zone != "", "zone", quote(t.Zone))
	case KindWebhook:
		f = f.add("mapping", "{userId: $.user, cart_id: $.cart, value: $.value}")
	case KindDate:
		f = t.date()
	default:
		panic("BUG: unknown trigger kind " + t.Kind)
	}
	return f
}

func plain(v any) string {
	if s, ok := v.(string); ok {
		return quote(s)
	}
	n, _ := number(v)
	return strconv.FormatFloat(n, 'f', -1, 64)
}

func (s *Send) inline() string {
	if s.Needs != "" {
		return "{body: " + quote("{{ trigger.properties."+s.Needs+" }}") + "}"
	}
	return "{body: hello}"
}

func (s *Send) more() fields {
	f := fields{}.addIf(s.Category != "", "category", quote(s.Category)).addIf(s.OnCap != "", "on_cap", s.OnCap)
	drop := s.OnDrop
	if drop != DropNext && drop != DropExit {
		drop = "{goto: " + quote(drop) + "}"
	}
	f = f.addIf(s.OnDrop != "", "on_drop", drop)
	return f.addIf(s.OnFail != "", "on_fail", "{goto: "+quote(s.OnFail)+"}")
}

func (s Step) more() fields {
	var f fields
	switch {
	case s.Experiment != nil:
		ways := make([]string, 0, len(s.Experiment.Variants))
		for _, v := range s.Experiment.Variants {
			w := fields{}.add("id", quote(v.ID)).add("weight", strconv.Itoa(v.Weight))
			w = w.addIf(v.Goto != "", "goto", quote(v.Goto))
			ways = append(ways, "{"+w.text()+"}")
		}
		v := fields{}.addIf(s.Experiment.Salt != "", "salt", quote(s.Experiment.Salt))
		v = append(v.add("variants", "["+strings.Join(ways, ", ")+"]"), s.Experiment.winnerFields()...)
		return f.add("experiment", "{"+v.text()+"}")
	case s.Until != nil:
		v := fields{}.add("at", ofDay(s.Until.Minute))
		days := make([]string, 0, len(s.Until.Days))
		for _, d := range s.Until.Days {
			days = append(days, strings.ToLower(d.String()[:3]))
		}
		v = v.addIf(len(days) > 0, "days", "["+strings.Join(days, ", ")+"]")
		return f.add("until", "{"+v.addIf(s.Until.Zone != "", "zone", quote(s.Until.Zone)).text()+"}")
	case s.Set != nil:
		v := fields{}
		if s.Set.Trait != "" {
			value := "null"
			if s.Set.Value != nil {
				value = plain(s.Set.Value)
			}
			v = v.add("traits", "{"+quote(s.Set.Trait)+": "+value+"}")
		}
		if s.Set.Tag != "" {
			how := map[bool]string{false: "add", true: "remove"}[s.Set.Remove]
			v = v.add("tags", "{"+how+": ["+quote(s.Set.Tag)+"]}")
		}
		return f.add("set", "{"+v.text()+"}")
	case s.Emit != nil:
		v := fields{}.add("value", plain(s.Emit.Value))
		if s.Emit.Copy != "" {
			v = v.add(s.Emit.Copy, "{cel: "+quote(member("trigger.properties", s.Emit.Copy))+"}")
		}
		return f.add("emit", "{event: "+quote(s.Emit.Event)+", properties: {"+v.text()+"}}")
	case s.Call != nil:
		return f.add("call", s.Call.yaml())
	case s.Start != "":
		return f.add("start", "{campaign: "+quote(s.Start)+"}")
	}
	panic("BUG: step " + s.ID + " has no verb")
}
