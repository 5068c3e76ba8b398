package workload

import (
	"slices"

	"github.com/nudge-engine/nudge/sim/audit"
)

// unheard is an event that no campaign looks for.
const unheard = "Level Passed"

// cut has no campaigns start each other in a circle forever: a step on such a circle emits
// an event that nobody looks for instead. A circle without a rest stays: the depth of what
// steps make bounds it.
func cut(w *Workload) {
	versions := []*audit.Campaign{}
	for i := range w.Campaigns {
		versions = append(versions, &w.Campaigns[i])
	}
	for i := range w.Edits {
		w.Edits[i].Campaigns = slices.Clone(w.Edits[i].Campaigns)
		for k := range w.Edits[i].Campaigns {
			versions = append(versions, &w.Edits[i].Campaigns[k])
		}
	}
	g := circles{versions: versions, next: map[string][]start{}}
	for _, c := range versions {
		c.Steps = slices.Clone(c.Steps)
		for i := range c.Steps {
			if s := &c.Steps[i]; (s.Emit != nil || s.Start != "") && !g.add(c.Name, g.startedBy(s), takesTime(c, i)) {
				s.Emit, s.Start = &audit.Emit{Event: unheard}, ""
			}
		}
	}
}

// circles is which campaign starts which, in any of their versions.
type circles struct {
	versions []*audit.Campaign
	next     map[string][]start // asked by key only
}

// start is a campaign that another starts; late says that time can pass before it does.
type start struct {
	name string
	late bool
}

// startedBy are the campaigns that a step starts again and again.
func (g *circles) startedBy(s *audit.Step) (names []string) {
	for _, c := range g.versions {
		kind := c.Trigger.Kind
		hears := s.Emit != nil && c.Trigger.Event == s.Emit.Event && kind != audit.KindCount
		if c.Reentry.Mode != audit.ModeOnce && (hears || s.Start == c.Name) && !slices.Contains(names, c.Name) {
			names = append(names, c.Name)
		}
	}
	return names
}

// add says that a campaign starts others, unless that would go on forever.
func (g *circles) add(name string, started []string, late bool) (ok bool) {
	for _, other := range started {
		from := g.reached(other)
		circle := slices.DeleteFunc(slices.Clone(from), func(n string) bool {
			return !slices.Contains(g.reached(n), name)
		})
		if slices.Contains(from, name) && (late || g.late(circle)) {
			return false
		}
	}
	for _, other := range started {
		g.next[name] = append(g.next[name], start{other, late})
	}
	return true
}

// reached are the campaigns that one leads to, with itself.
func (g *circles) reached(name string) []string {
	all := []string{name}
	for i := 0; i < len(all); i++ {
		for _, n := range g.next[all[i]] {
			if !slices.Contains(all, n.name) {
				all = append(all, n.name)
			}
		}
	}
	return all
}

// late says whether time can pass between two of a circle.
func (g *circles) late(circle []string) bool {
	return slices.ContainsFunc(circle, func(name string) bool {
		return slices.ContainsFunc(g.next[name], func(s start) bool {
			return s.late && slices.Contains(circle, s.name)
		})
	})
}

// takesTime says whether time can pass before a chain comes to a step.
func takesTime(c *audit.Campaign, step int) bool {
	if c.Trigger.Kind == audit.KindInactivity {
		return true
	}
	return slices.ContainsFunc(c.Steps[:step+1], func(s audit.Step) bool {
		return s.Loop > 0 || s.Delay != nil || s.Wait != nil || s.Until != nil || s.Call != nil ||
			s.Send != nil && s.Send.OnCap == audit.CapDefer
	})
}
