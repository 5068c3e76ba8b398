package audit

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What an experiment does at its deadline.
const (
	DeadlineBest     = "best"
	DeadlineKeep     = "keep"
	DeadlineOriginal = "original"
)

const hour = 3_600_000 // ms

// Rule says when an experiment has a winner. Deadline 0 is none.
type Rule struct {
	MinPer     int
	MinTime    time.Duration
	Confidence float64
	Deadline   time.Duration
	OnDeadline string
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

// exposure is a chain that counts for one variant of an experiment.
type exposure struct {
	campaign, step string
	variant        string
	print          string // what makes it comparable
	place          int    // of the log
	at             int64
	hour           int64 // from which it has matured; 0: not known yet
	converted      bool
}

// decided is what the log says of experiments.
type decided struct {
	winners   map[string]string // by campaign and step, asked by key only
	exposures []*exposure
	since     map[string]int // the place of the log from which an experiment counts, asked by key only
	prints    map[string]string
}

// Decide says that chains which come to an experiment take a variant.
func (a *Auditor) Decide(campaign, step, variant string) {
	if a.decided.winners == nil {
		a.decided.winners = map[string]string{}
	}
	a.decided.winners[campaign+"/"+step] = variant
	a.compared()
}

// won is the variant that an experiment was decided for, while it has it.
func (a *Auditor) won(campaign string, s Step) (v Variant, ok bool) {
	variant := a.decided.winners[campaign+"/"+s.ID]
	for _, v := range s.Experiment.Variants {
		if v.ID == variant && variant != "" {
			return v, true
		}
	}
	return Variant{}, false
}

// goalOf is the goal that an experiment looks at.
func (c Campaign) goalOf(x *Experiment) (Goal, bool) {
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

// printOf is what makes the counts of an experiment comparable; empty where nothing is
// counted.
func (c Campaign) printOf(s Step) string {
	if s.Experiment == nil || s.Experiment.Winner == nil {
		return ""
	}
	g, ok := c.goalOf(s.Experiment)
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

// inForce is the experiment that is counted for now under a name; an empty print is none.
func (a *Auditor) inForce(campaign, step string) (c *Campaign, s Step, mark string) {
	for _, c := range a.campaigns {
		for _, s := range c.Steps {
			if c.Name != campaign || s.ID != step || s.Experiment == nil {
				continue
			}
			if _, over := a.won(campaign, s); !over {
				mark = c.printOf(s)
			}
			return c, s, mark
		}
	}
	return nil, Step{}, ""
}

// compared notes where the counts of an experiment begin anew, when definitions or
// decisions came.
func (a *Auditor) compared() {
	d := &a.decided
	if d.since == nil {
		d.since, d.prints = map[string]int{}, map[string]string{}
	}
	now := map[string]string{}
	for _, c := range a.campaigns {
		for _, s := range c.Steps {
			name := c.Name + "/" + s.ID
			if _, _, mark := a.inForce(c.Name, s.ID); mark != "" {
				now[name] = mark
				if d.prints[name] != mark {
					d.since[name] = a.place
				}
			}
		}
	}
	d.prints = now
}

// expose counts a chain that took its variant by bucket.
func (ch *chain) expose(a *Auditor, s Step, variant string) {
	c, _, mark := a.inForce(ch.def.Name, s.ID)
	g, ok := ch.def.goalOf(s.Experiment)
	if mark == "" || c != ch.def || ch.heldOut || !ok || ch.counted(g.ID) {
		return
	}
	if slices.ContainsFunc(ch.exposed, func(e *exposure) bool { return e.step == s.ID }) {
		return
	}
	e := &exposure{
		campaign: ch.def.Name, step: s.ID, variant: variant, print: mark, place: a.place, at: a.now,
		hour: ch.matures(a, g),
	}
	ch.exposed = append(ch.exposed, e)
	a.decided.exposures = append(a.decided.exposures, e)
}

// matures is the first full hour after the goal's window is over, at least the next; 0
// while that is not known.
func (ch *chain) matures(a *Auditor, g Goal) int64 {
	switch end := ch.until(g); {
	case end != math.MaxInt64:
		return max(end, a.now)/hour + 1
	case ch.live():
		return 0
	}
	return a.now/hour + 1
}

// exposures calls f with the exposures of the chain about which something can still
// change.
func (ch *chain) exposures(a *Auditor, f func(e *exposure, g Goal)) {
	for _, e := range ch.exposed {
		_, _, mark := a.inForce(e.campaign, e.step)
		i := ch.indexOf(e.step)
		if e.hour != 0 && a.now >= e.hour*hour || mark != e.print || i < 0 || ch.def.printOf(ch.def.Steps[i]) != mark {
			continue
		}
		g, _ := ch.def.goalOf(ch.def.Steps[i].Experiment)
		f(e, g)
	}
}

// updateMaturity: a delivery or the end of the chain moves the window.
func (ch *chain) updateMaturity(a *Auditor) {
	ch.exposures(a, func(e *exposure, g Goal) {
		if h := ch.matures(a, g); h != e.hour {
			if e.hour != 0 {
				a.note(NoteRematured)
			}
			e.hour = h
		}
	})
}

// converting: the chain reached a goal, or that was taken back.
func (ch *chain) converting(a *Auditor, goal string, reached bool) {
	ch.exposures(a, func(e *exposure, g Goal) {
		if g.ID == goal {
			e.converted = reached
		}
	})
}

// Matured counts exposures of one variant that mature at an hour, and those that
// converted.
type Matured struct {
	Variant   string
	Hour      int64
	Exposures int
	Converted int
}

// Tally is what was counted for an experiment, and its rule. First is the log time of the
// first exposure; 0: none. An experiment that nobody counts for has no rule.
type Tally struct {
	Campaign, Step string
	Print          string
	Variants       []Variant
	Rule           *Rule
	First          int64
	Rows           []Matured
}

// Tally is what was counted for an experiment so far.
func (a *Auditor) Tally(campaign, step string) Tally {
	_, s, mark := a.inForce(campaign, step)
	t := Tally{Campaign: campaign, Step: step, Print: mark}
	if mark == "" {
		return t
	}
	t.Variants, t.Rule = s.Experiment.Variants, s.Experiment.Winner
	for _, e := range a.decided.exposures {
		if e.campaign != campaign || e.step != step || e.print != mark || e.place < a.decided.since[campaign+"/"+step] {
			continue
		}
		if t.First == 0 || e.at < t.First {
			t.First = e.at
		}
		m := Matured{Variant: e.variant, Hour: e.hour, Exposures: 1}
		if e.converted {
			m.Converted = 1
		}
		t.Rows = append(t.Rows, m)
	}
	return t
}

// Tallies are those of all experiments that are counted for, in the order of their names.
func (a *Auditor) Tallies() []Tally {
	var all []Tally
	for _, c := range a.campaigns {
		for _, s := range c.Steps {
			if t := a.Tally(c.Name, s.ID); t.Print != "" {
				all = append(all, t)
			}
		}
	}
	return all
}

// Add adds up what two partitions counted.
func (t Tally) Add(o Tally) Tally {
	if t.Print != o.Print {
		panic("BUG: counts of two experiments added up")
	}
	if t.First == 0 || o.First != 0 && o.First < t.First {
		t.First = o.First
	}
	t.Rows = append(slices.Clone(t.Rows), o.Rows...)
	return t
}

// Ruling is what the rule says at an hour.
type Ruling struct {
	Hour    int64
	Variant string // empty: blocked by the shares
	Look    int    // of the decision; 0: the deadline's
	Tie     bool   // none is better
	Arms    []Matured
	Passed  bool // there were new figures before at which it was not looked
}

// Rulings goes through the hours from the first exposure on: the first block, if one
// comes before the decision, and the decision.
func (t Tally) Rulings(through int64) (all []Ruling) {
	looks, before, passed, deadline := 0, 0, false, false
	for h := t.First/hour + 1; t.First != 0 && h <= min(through, (t.First+10_000*hour)/hour); h++ {
		arms, total, enough := t.arms(h)
		age := time.Duration(h*hour-t.First) * time.Millisecond
		over := t.Rule.Deadline != 0 && age >= t.Rule.Deadline
		look := age >= t.Rule.MinTime && enough && (looks == 0 || total >= 2*before) || over && !deadline
		deadline = deadline || over
		passed = passed || looks > 0 && total > before && !look
		if over && t.Rule.OnDeadline == DeadlineKeep || !look {
			continue
		}
		looks, before = looks+1, total // also where the shares block it
		if t.mismatch(arms, total) < 0.001 {
			if len(all) == 0 {
				all = append(all, Ruling{Hour: h, Arms: arms})
			}
			continue
		}
		second := better(arms[1], arms[0])
		best, tie := 0, math.Abs(second-0.5) < 1e-9
		if second > 0.5 && !tie {
			best = 1
		}
		if over {
			if t.Rule.OnDeadline == DeadlineOriginal {
				best, tie = 0, false
			}
			return append(all, Ruling{Hour: h, Variant: t.Variants[best].ID, Arms: arms, Tie: tie})
		}
		if max(second, 1-second) >= 1-(1-t.Rule.Confidence)/math.Pow(2, float64(looks)) {
			return append(all, Ruling{
				Hour: h, Variant: t.Variants[best].ID, Look: looks, Arms: arms, Tie: tie, Passed: passed,
			})
		}
	}
	return all
}

// arms are the figures at an hour, and whether each variant has its minimum.
func (t Tally) arms(h int64) (arms []Matured, total int, enough bool) {
	enough = true
	for _, v := range t.Variants {
		m := Matured{Variant: v.ID}
		for _, r := range t.Rows {
			if r.Variant == v.ID && r.Hour != 0 && r.Hour <= h {
				m.Exposures, m.Converted = m.Exposures+r.Exposures, m.Converted+r.Converted
			}
		}
		total += m.Exposures
		enough = enough && m.Exposures >= t.Rule.MinPer
		arms = append(arms, m)
	}
	return arms, total, enough
}

// mismatch is the probability of shares as far from the weights, of two variants: the
// chi-square of one degree of freedom is the square of a normal deviate.
func (t Tally) mismatch(arms []Matured, total int) float64 {
	if total == 0 {
		return 1
	}
	share := float64(t.Variants[0].Weight) / float64(t.Variants[0].Weight+t.Variants[1].Weight)
	off := float64(arms[0].Exposures) - share*float64(total)
	return math.Erfc(math.Abs(off) / math.Sqrt(2*float64(total)*share*(1-share)))
}

// better is the probability that x has a higher rate than y, each Beta(1,1) before: a sum
// over the conversions of x.
func better(x, y Matured) float64 {
	beta := func(a, b float64) float64 {
		p, _ := math.Lgamma(a)
		q, _ := math.Lgamma(b)
		r, _ := math.Lgamma(a + b)
		return p + q - r
	}
	bx := float64(x.Exposures - x.Converted + 1)
	ay, by := float64(y.Converted+1), float64(y.Exposures-y.Converted+1)
	sum := 0.0
	for i := range x.Converted + 1 {
		k := float64(i)
		sum += math.Exp(beta(ay+k, bx+by) - math.Log(bx+k) - beta(1+k, bx) - beta(ay, by))
	}
	return sum
}

// Notes about experiments that are decided.
const (
	NoteWinner    = "winner taken by a chain"
	NoteRematured = "exposure whose window moved"
)

func decidingNotes() []string { return []string{NoteWinner, NoteRematured} }
