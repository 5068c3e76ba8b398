package workload

import (
	"slices"
	"strconv"
	"time"

	"github.com/nudge-engine/nudge/sim/audit"
)

// keyProperty is the property that keys and matches use.
const keyProperty = "cart_id"

func (d *draw) campaign(name string) audit.Campaign {
	c := audit.Campaign{Name: name, Trigger: d.trigger(), Reentry: d.reentry(), Steps: d.steps()}
	if d.one(4) {
		c.Audience = d.about(audit.SubjectCustomer)
	}
	if d.one(3) {
		c.MaxEventAge = d.duration()
	}
	for i := range pick(d, []int{0, 1, 1, 1, 1, 2}) {
		c.Goals = append(c.Goals, d.goal("goal"+strconv.Itoa(i+1)))
	}
	for range pick(d, []int{0, 0, 1, 1, 2}) {
		c.Stops = append(c.Stops, d.match())
	}
	return c
}

func (d *draw) trigger() audit.Trigger {
	t := audit.Trigger{Event: pick(d, d.events)}
	if d.one(4) {
		t.Where = d.about(audit.SubjectEvent)
	}
	switch d.rng.IntN(5) {
	case 0:
		t.Kind, t.Reaches = audit.KindCount, 1+d.rng.IntN(4)
	case 1:
		t.Kind, t.For, t.FromProfile = audit.KindInactivity, d.duration(), d.one(3)
	default:
		t.Kind = audit.KindEvent
	}
	return t
}

func (d *draw) reentry() audit.Reentry {
	r := audit.Reentry{
		Mode: pick(d, []string{"", audit.ModeAlways, audit.ModeAlways, audit.ModeOnce, audit.ModeCooldown}),
		OnActive: pick(d, []string{
			"", audit.ActiveIgnore, audit.ActiveRestart, audit.ActiveRefresh, audit.ActiveParallel,
		}),
	}
	if d.o.Cooldowns && !d.one(3) {
		r.Mode = audit.ModeCooldown
	}
	if r.Mode == audit.ModeCooldown {
		r.Cooldown, r.FromExit = d.duration(), d.one(2)
	}
	if d.one(2) {
		r.KeyProperty = keyProperty
	}
	// The text does not say what max_active means where a chain is replaced.
	if r.OnActive != audit.ActiveRestart && r.OnActive != audit.ActiveRefresh && d.one(3) {
		r.MaxActive = 1 + d.rng.IntN(3)
	}
	return r
}

func (d *draw) goal(id string) audit.Goal {
	g := audit.Goal{ID: id, Match: d.match(), Stop: !d.one(4)}
	if !d.one(4) {
		g.Window, g.FromDelivery = d.duration(), d.one(3)
	}
	if d.one(2) {
		g.ValueProperty = "total"
	}
	return g
}

func (d *draw) match() audit.Match {
	m := audit.Match{Event: pick(d, d.events)}
	if d.one(3) {
		m.Property = keyProperty
	}
	if d.one(4) {
		m.Where = d.about(pick(d, []string{
			audit.SubjectEvent, audit.SubjectEvent, audit.SubjectTrigger, audit.SubjectCustomer,
		}))
	}
	return m
}

// about is a predicate of one or two comparisons on the subject.
func (d *draw) about(subject string) *audit.Pred {
	p := audit.P(d.comparison(subject))
	if d.one(4) {
		p.All = append(p.All, d.comparison(subject))
	}
	return p
}

func (d *draw) comparison(subject string) audit.Comparison {
	c := audit.Comparison{Subject: subject}
	if subject == audit.SubjectCustomer && d.f.Levels && d.one(2) {
		c.Count, c.Window, c.Op = pick(d, d.events), d.duration(), pick(d, operators())
		c.Value = float64(1 + d.rng.IntN(3))
		switch d.rng.IntN(4) {
		case 0:
			return audit.Comparison{Subject: subject, Tag: "vip"}
		case 1:
			c.Sum, c.Value = "total", pick(d, []float64{1.25, 99.5, 100.75})
		}
		return c
	}
	if subject == audit.SubjectCustomer {
		switch d.rng.IntN(3) {
		case 0:
			c.Count, c.Op = pick(d, d.events), pick(d, operators())
			c.Value = float64(1 + d.rng.IntN(3))
		case 1:
			c.Path, c.Op = "score", pick(d, operators())
			c.Value = pick(d, []float64{0.5, 3, 10})
		default:
			c.Path, c.Op = "level", pick(d, []string{"==", "!="})
			c.Value = pick(d, []string{"basic", "silver", "gold"})
		}
		return c
	}
	if d.one(3) {
		c.Path, c.Op = "color", pick(d, []string{"==", "!="})
		c.Value = pick(d, []string{"red", "blue"})
		return c
	}
	c.Path, c.Op, c.Value = "value", pick(d, operators()), pick(d, []float64{10, 20})
	return c
}

func operators() []string { return []string{">=", ">=", "<", "==", "!="} }

// steps draws a list and leaves out what cannot be reached, which the contract
// forbids. Leaving out moves nobody's next step: before a step that cannot be
// reached there is none that falls through to it.
func (d *draw) steps() []audit.Step {
	n := 2 + d.rng.IntN(6)
	steps := make([]audit.Step, n)
	for i := range steps {
		steps[i] = d.step(i, n)
	}
	if !slices.ContainsFunc(steps, func(s audit.Step) bool { return s.Send != nil }) {
		steps[0] = audit.Step{ID: steps[0].ID, Send: d.send()}
	}
	return reachable(steps)
}

// reachable leaves out the steps that cannot be reached.
func reachable(steps []audit.Step) []audit.Step {
	n := len(steps)
	reached := make([]bool, n+1)
	reached[0] = true
	for again := true; again; { // loops lead back
		again = false
		for i := range steps {
			if !reached[i] {
				continue
			}
			for _, target := range targets(steps, i) {
				again = again || !reached[target]
				reached[target] = true
				if target <= i {
					again = again || !reached[i+1] // a loop that is used up goes on
					reached[i+1] = true
				}
			}
		}
	}
	var kept []audit.Step
	for i, s := range steps {
		if reached[i] {
			kept = append(kept, s)
		}
	}
	return kept
}

func (d *draw) step(i, n int) audit.Step {
	s := audit.Step{ID: stepID(i)}
	switch d.rng.IntN(12) {
	case 0, 1, 2:
		s.Delay = &audit.Delay{For: d.duration(), FromEntry: d.one(3)}
	case 3, 4, 5:
		s.Wait = d.wait(i, n)
	case 6:
		s.Branch = &audit.Branch{Arms: []audit.Arm{{
			When: d.about(pick(d, []string{audit.SubjectCustomer, audit.SubjectTrigger})), Goto: d.target(i, n),
		}}}
		if d.one(2) {
			s.Branch.Arms = append(s.Branch.Arms, audit.Arm{Goto: d.target(i, n)})
		}
	case 7:
		if i > 0 {
			s.Exit = true
			break
		}
		fallthrough
	default:
		s.Send = d.send()
	}
	if !s.Exit && s.Branch == nil && d.one(8) {
		s.Goto = d.target(i, n)
	}
	return s
}

func (d *draw) send() *audit.Send {
	channels := []string{"email", "push", "telegram"}
	var s audit.Send
	if d.o.Expires && d.one(3) {
		s.Expires = d.duration()
	}
	if d.one(4) {
		s.Channels = channels[:2]
	} else {
		s.Channels = []string{pick(d, channels)}
	}
	return &s
}

func (d *draw) wait(i, n int) *audit.Wait {
	w := &audit.Wait{Timeout: d.duration(), FromEntry: d.one(3)}
	for range 1 + d.rng.IntN(2) {
		look := audit.WaitFor{Match: d.match()}
		if d.one(2) {
			look.Goto = d.target(i, n)
		}
		w.For = append(w.For, look)
	}
	if d.one(3) {
		w.OnTimeout = d.target(i, n)
	}
	return w
}

func stepID(i int) string { return "s" + strconv.Itoa(i+1) }

// target is a later step or the end.
func (d *draw) target(i, n int) string {
	if i+1 == n || d.one(4) {
		return audit.End
	}
	return stepID(i + 1 + d.rng.IntN(n-i-1))
}

// targets are the indexes that the i-th step can lead to.
func targets(steps []audit.Step, i int) []int {
	s := steps[i]
	index := func(target string) int {
		if target == "" {
			return i + 1
		}
		for k := range steps {
			if steps[k].ID == target {
				return k
			}
		}
		return len(steps)
	}
	next := index(s.Goto)
	var to []int
	switch {
	case s.Exit:
	case s.Wait != nil:
		for _, look := range s.Wait.For {
			to = append(to, or(look.Goto, index, next))
		}
		to = append(to, or(s.Wait.OnTimeout, index, next))
	case s.Branch != nil:
		falls := true
		for _, arm := range s.Branch.Arms {
			to = append(to, or(arm.Goto, index, next))
			falls = falls && arm.When != nil
		}
		if falls {
			to = append(to, next)
		}
	case s.Experiment != nil:
		for _, v := range s.Experiment.Variants {
			to = append(to, or(v.Goto, index, next))
		}
	case s.Send != nil:
		to = append(to, next, or(s.Send.OnFail, index, next))
		if drop := s.Send.OnDrop; drop != "" && drop != audit.DropNext && drop != audit.DropExit {
			to = append(to, index(drop))
		}
	case s.Call != nil:
		to = append(to, next, or(s.Call.OnFail, index, next))
	default:
		to = append(to, next)
	}
	return to
}

func or(target string, index func(string) int, next int) int {
	if target == "" {
		return next
	}
	return index(target)
}

// Longest is the longest time any chain of the campaigns can still run after
// the last call, its messages being gone or expired: a harness that plays on this long, stopping at each timer's
// instant, sees every timer fire.
func Longest(campaigns []audit.Campaign) time.Duration {
	var longest time.Duration
	for _, c := range campaigns {
		total, loops := c.Trigger.For, 0
		for _, s := range c.Steps {
			if s.Delay != nil {
				total += s.Delay.For
			}
			if s.Wait != nil {
				total += s.Wait.Timeout * time.Duration(1+s.Wait.MaxRestarts)
			}
			if s.Until != nil {
				total += 8 * 24 * time.Hour
			}
			if s.Send != nil {
				total += s.Send.Expires
				if s.Send.OnCap == audit.CapDefer {
					total += 31 * 24 * time.Hour
				}
				total += 2 * 24 * time.Hour // quiet hours
			}
			if s.Call != nil {
				total += s.Call.Timeout + s.Call.Expires + 2*24*time.Hour
			}
			loops += s.Loop
		}
		total *= time.Duration(1 + loops)
		longest = max(longest, total)
	}
	return longest + time.Hour
}
