package audit

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// hour is one hour in ms.
const hour = 3_600_000 // ms

// exposure is a chain that counts for one variant of an experiment.
type exposure struct {
	campaign, step string
	variant        string
	fingerprint    string
	position       int // of the log
	at             int64
	maturityHour   int64 // from which it has matured; 0: not known yet
	converted      bool
}

// experimentState is what the log says of experiments.
type experimentState struct {
	winners      map[string]string // by campaign and step, asked by key only
	exposures    []*exposure
	countsFrom   map[string]int // positions of the log, by campaign and step; asked by key only
	fingerprints map[string]string
}

// Decide applies the decision of an experiment: chains that come to it from now on take the
// variant.
func (a *Auditor) Decide(campaign, step, variant string) {
	if a.experiments.winners == nil {
		a.experiments.winners = map[string]string{}
	}
	a.experiments.winners[campaign+"/"+step] = variant
	a.restartCounts()
}

// winnerOf returns the variant for which the experiment was decided, while it still has it.
func (a *Auditor) winnerOf(campaign string, s Step) (v Variant, ok bool) {
	variant := a.experiments.winners[campaign+"/"+s.ID]
	for _, v := range s.Experiment.Variants {
		if v.ID == variant && variant != "" {
			return v, true
		}
	}
	return Variant{}, false
}

// experimentGoal returns the goal by which the experiment's variants are compared.
func (c Campaign) experimentGoal(x *Experiment) (Goal, bool) {
	if len(c.Goals) == 0 {
		return Goal{}, false
	}
	g := c.Goals[0]
	for _, other := range c.Goals {
		if x.Goal == "" && other.Primary || x.Goal == other.ID {
			g = other
		}
	}
	return g, true
}

// fingerprint is equal for versions of an experiment whose counts are comparable; empty where
// nothing is counted.
func (c Campaign) fingerprint(s Step) string {
	if s.Experiment == nil || s.Experiment.Winner == nil {
		return ""
	}
	g, ok := c.experimentGoal(s.Experiment)
	if !ok {
		return ""
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s|%s|%s|%s|%s|%d|%v", s.Experiment.Salt, g.ID, g.Match.Event, g.Match.Where.text(),
		g.Match.Property, g.Window, g.FromDelivery)
	for _, v := range s.Experiment.Variants {
		fmt.Fprintf(&text, "|%s %d", v.ID, v.Weight)
	}
	return text.String()
}

// experimentInForce returns the experiment in force under a name. Its fingerprint is empty if
// nothing is counted, also because it has been decided.
func (a *Auditor) experimentInForce(campaign, step string) (c *Campaign, s Step, fingerprint string) {
	for _, c := range a.campaigns {
		for _, s := range c.Steps {
			if c.Name != campaign || s.ID != step || s.Experiment == nil {
				continue
			}
			if _, over := a.winnerOf(campaign, s); !over {
				fingerprint = c.fingerprint(s)
			}
			return c, s, fingerprint
		}
	}
	return nil, Step{}, ""
}

// restartCounts begins the counts anew of experiments whose fingerprint has changed, after
// definitions or decisions came.
func (a *Auditor) restartCounts() {
	d := &a.experiments
	if d.countsFrom == nil {
		d.countsFrom, d.fingerprints = map[string]int{}, map[string]string{}
	}
	now := map[string]string{}
	for _, c := range a.campaigns {
		for _, s := range c.Steps {
			name := c.Name + "/" + s.ID
			if _, _, fingerprint := a.experimentInForce(c.Name, s.ID); fingerprint != "" {
				now[name] = fingerprint
				if d.fingerprints[name] != fingerprint {
					d.countsFrom[name] = a.position
				}
			}
		}
	}
	d.fingerprints = now
}

// expose counts a chain that got its variant by bucket.
func (ch *chain) expose(a *Auditor, s Step, variant string) {
	c, _, fingerprint := a.experimentInForce(ch.def.Name, s.ID)
	g, ok := ch.def.experimentGoal(s.Experiment)
	if fingerprint == "" || c != ch.def || ch.heldOut || !ok || ch.hasReached(g.ID) {
		return
	}
	if slices.ContainsFunc(ch.exposures, func(e *exposure) bool { return e.step == s.ID }) {
		return
	}
	e := &exposure{
		campaign: ch.def.Name, step: s.ID, variant: variant, fingerprint: fingerprint, position: a.position, at: a.now,
		maturityHour: ch.maturityHour(a, g),
	}
	ch.exposures = append(ch.exposures, e)
	a.experiments.exposures = append(a.experiments.exposures, e)
}

// maturityHour returns the first full hour after the goal's window is over, at least the next; 0
// while that is not known.
func (ch *chain) maturityHour(a *Auditor, g Goal) int64 {
	switch end := ch.windowEnd(g); {
	case end != math.MaxInt64:
		return max(end, a.now)/hour + 1
	case ch.live():
		return 0
	}
	return a.now/hour + 1
}

// openExposures calls f with the exposures of the chain about which something can still change.
func (ch *chain) openExposures(a *Auditor, f func(e *exposure, g Goal)) {
	for _, e := range ch.exposures {
		_, _, fingerprint := a.experimentInForce(e.campaign, e.step)
		i := ch.indexOf(e.step)
		matured := e.maturityHour != 0 && a.now >= e.maturityHour*hour
		if matured || fingerprint != e.fingerprint || i < 0 || ch.def.fingerprint(ch.def.Steps[i]) != fingerprint {
			continue
		}
		g, _ := ch.def.experimentGoal(ch.def.Steps[i].Experiment)
		f(e, g)
	}
}

// updateMaturity moves the maturity hour of exposures, because a delivery or the end of the chain
// has moved the window.
func (ch *chain) updateMaturity(a *Auditor) {
	ch.openExposures(a, func(e *exposure, g Goal) {
		if h := ch.maturityHour(a, g); h != e.maturityHour {
			if e.maturityHour != 0 {
				a.note(NoteMaturityMoved)
			}
			e.maturityHour = h
		}
	})
}

// updateConverted notes for the exposures that the chain reached a goal, or that the goal was taken
// back.
func (ch *chain) updateConverted(a *Auditor, goal string, reached bool) {
	ch.openExposures(a, func(e *exposure, g Goal) {
		if g.ID == goal {
			e.converted = reached
		}
	})
}

// Matured counts exposures of one variant that mature at an hour, and those of them that converted.
type Matured struct {
	Variant   string
	Hour      int64
	Exposures int
	Converted int
}

// ExperimentCounts is what was counted for an experiment, and its rule. FirstExposure is a log
// time; 0: there is none. An experiment that is not counted has no rule.
type ExperimentCounts struct {
	Campaign, Step string
	Fingerprint    string
	Variants       []Variant
	Rule           *Rule
	FirstExposure  int64
	Rows           []Matured
}

// ExperimentCounts returns what was counted for an experiment so far.
func (a *Auditor) ExperimentCounts(campaign, step string) ExperimentCounts {
	_, s, fingerprint := a.experimentInForce(campaign, step)
	t := ExperimentCounts{Campaign: campaign, Step: step, Fingerprint: fingerprint}
	if fingerprint == "" {
		return t
	}
	t.Variants, t.Rule = s.Experiment.Variants, s.Experiment.Winner
	for _, e := range a.experiments.exposures {
		if e.campaign != campaign || e.step != step || e.fingerprint != fingerprint ||
			e.position < a.experiments.countsFrom[campaign+"/"+step] {
			continue
		}
		if t.FirstExposure == 0 || e.at < t.FirstExposure {
			t.FirstExposure = e.at
		}
		m := Matured{Variant: e.variant, Hour: e.maturityHour, Exposures: 1}
		if e.converted {
			m.Converted = 1
		}
		t.Rows = append(t.Rows, m)
	}
	return t
}

// AllExperimentCounts returns those of all experiments that are counted, in the order of their
// names.
func (a *Auditor) AllExperimentCounts() []ExperimentCounts {
	var all []ExperimentCounts
	for _, c := range a.campaigns {
		for _, s := range c.Steps {
			if t := a.ExperimentCounts(c.Name, s.ID); t.Fingerprint != "" {
				all = append(all, t)
			}
		}
	}
	return all
}

// Add adds up what two partitions counted.
func (t ExperimentCounts) Add(o ExperimentCounts) ExperimentCounts {
	if t.Fingerprint != o.Fingerprint {
		panic("BUG: counts of two experiments added up")
	}
	if t.FirstExposure == 0 || o.FirstExposure != 0 && o.FirstExposure < t.FirstExposure {
		t.FirstExposure = o.FirstExposure
	}
	t.Rows = append(slices.Clone(t.Rows), o.Rows...)
	return t
}
