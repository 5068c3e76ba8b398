package audit

import (
	"strconv"
	"strings"
)

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

func (c *Call) yaml() string {
	f := fields{}.add("url", "https://example.com/hook")
	if c.Needs != "" {
		f = f.add("body", quote("{{ trigger.properties."+c.Needs+" }}"))
	}
	f = f.addIf(c.Wait, "wait", "true").addIf(c.Timeout != 0, "timeout", Duration(c.Timeout))
	f = f.addIf(c.Expires != 0, "expires", Duration(c.Expires))
	return "{" + f.addIf(c.OnFail != "", "on_fail", "{goto: "+quote(c.OnFail)+"}").text() + "}"
}

func (r *Rule) yaml() string {
	f := fields{}.add("min_per_variant", strconv.Itoa(r.MinPer)).add("min_time", Duration(r.MinTime))
	f = f.add("confidence", strconv.FormatFloat(r.Confidence, 'f', -1, 64))
	if r.Deadline != 0 {
		f = f.add("deadline", Duration(r.Deadline)).add("on_deadline", r.OnDeadline)
	}
	return "{" + f.text() + "}"
}

func (x *Experiment) winnerFields() fields {
	if x.Winner == nil {
		return nil
	}
	return fields{}.addIf(x.Goal != "", "goal", quote(x.Goal)).add("winner", x.Winner.yaml())
}
