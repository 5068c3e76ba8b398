package workload

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/nudge-engine/nudge/sim/audit"
)

// Values says which values and expressions over them a workload uses.
type Values struct {
	Money   bool // currencies, values that cannot be computed
	Inside  bool // sums inside of a property
	Digits  bool // long numbers written by string()
	Devices bool // time zones of devices, and conditions on the zone that counts
	Slides  bool // thresholds over windows, now compared with an instant
	Resumes bool // versions with another rule for what is late
}

// DrawValues draws about half of them.
func (f Features) DrawValues(rng *rand.Rand) Features {
	yes := func() bool { return rng.IntN(2) == 0 }
	f.Values = Values{Money: yes(), Inside: yes(), Digits: yes(), Devices: yes(), Slides: yes(), Resumes: yes()}
	return f
}

// values changes calls and campaigns, when all else is drawn.
func (d *draw) values(w *Workload) {
	if d.f.Values == (Values{}) {
		return
	}
	for i := range w.Calls {
		d.say(&w.Calls[i])
	}
	w.Calls = undoubled(w.Calls)
	values := map[string]*audit.Trigger{} // of thresholds, in all versions of a campaign alike
	if d.f.Values.Slides {
		d.slide(w, values)
	}
	d.express(w.Campaigns, values)
	for i := range w.Edits {
		w.Edits[i].Campaigns = slices.Clone(w.Edits[i].Campaigns)
		d.express(w.Edits[i].Campaigns, values)
	}
}

// say has a call say more.
func (d *draw) say(c *Call) {
	p, t := c.Event.Properties, c.Event.Traits
	if _, ok := p["total"]; ok && d.f.Values.Inside {
		p["order"] = map[string]any{"total": pick(d, []any{0.0, 1.25, 99.5, "99.50"})}
		if d.one(4) {
			p["order.total"] = pick(d, []float64{1.25, 99.5})
		}
	}
	if p != nil && d.f.Values.Money && !d.one(5) {
		p["currency"] = pick(d, []string{"usd", "USD", " eur ", "EUR", "US$", "points"})
	}
	if p != nil && d.f.Values.Digits {
		p["big"] = pick(d, []any{1e20, 4.2e15, 1200.0, "1200", "100000000000000000000"})
	}
	if d.f.Values.Devices && d.one(3) {
		said := append(zones(), "europe/kyiv", "UTC+02:00", "GMT-8", "nowhere")
		c.Event.Context = map[string]any{"timezone": pick(d, said)}
	}
	if _, ok := t["score"]; ok && d.f.Values.Slides {
		t["ends"] = time.UnixMilli(c.At + d.duration().Milliseconds()).UTC().Format(time.RFC3339)
	}
}

// express changes campaigns.
func (d *draw) express(all []audit.Campaign, values map[string]*audit.Trigger) {
	for i := range all {
		c := &all[i]
		d.reword(c)
		if d.f.Values.Slides && c.Trigger.Kind == audit.KindThreshold && values[c.Name] == nil {
			values[c.Name] = d.slidingValue(c.Trigger)
		}
		if t := values[c.Name]; t != nil && (c.Trigger.Kind == audit.KindThreshold || starts(c)) {
			c.Trigger, c.Reentry.KeyProperty = *t, ""
		}
		if d.f.Values.Resumes && d.one(3) {
			c.Late = pick(d, []string{audit.LateSend, audit.LateSkip, audit.LateExit})
		}
		if !d.f.Values.Money {
			continue
		}
		c.Goals = slices.Clone(c.Goals)
		for k := range c.Goals {
			g := &c.Goals[k]
			g.Currency = "currency"
			if g.ValueProperty != "" && d.one(2) {
				g.PlusProperty = "value"
			}
		}
	}
}

// slide has two campaigns that events start look at what changes by time alone.
func (d *draw) slide(w *Workload, values map[string]*audit.Trigger) {
	for i := range w.Campaigns {
		c := &w.Campaigns[i]
		if !starts(c) || len(values) == 2 {
			continue
		}
		t := audit.Trigger{Kind: audit.KindThreshold, Down: d.one(2)}
		if values[c.Name] = d.slidingValue(t); len(values) == 2 {
			q := audit.Comparison{Subject: audit.SubjectCustomer, Last: pick(d, d.events), Window: d.duration()}
			if d.one(3) {
				q = audit.Comparison{Subject: audit.SubjectCustomer, Past: true, Path: "ends"}
			}
			q.Op = pick(d, []string{">=", ">=", "<"})
			values[c.Name] = &audit.Trigger{Kind: audit.KindSegment, When: audit.P(q), Leave: d.one(3)}
		}
	}
}

// starts says whether an event of a customer's own starts a campaign.
func starts(c *audit.Campaign) bool {
	return (c.Trigger.Kind == audit.KindEvent || c.Trigger.Kind == audit.KindCount) && c.Trigger.Event != madeEvent
}

// slidingValue is a threshold over a window.
func (d *draw) slidingValue(t audit.Trigger) *audit.Trigger {
	t.Path = ""
	t.Value = &audit.Comparison{Subject: audit.SubjectCustomer, Count: pick(d, d.events), Window: d.duration()}
	t.At, t.Hysteresis = float64(1+d.rng.IntN(3)), float64(d.rng.IntN(2))
	if d.one(3) {
		t.Value.Sum, t.At, t.Hysteresis = "total", 99.5, pick(d, []float64{0, 1.25, 98.25})
	}
	return &t
}

// reword gives the conditions of a campaign other words, the same condition always the same.
func (d *draw) reword(c *audit.Campaign) {
	pred := func(p *audit.Pred) *audit.Pred {
		if p == nil {
			return nil
		}
		q := audit.P(slices.Clone(p.All)...)
		for i := range q.All {
			q.All[i] = d.other(q.All[i])
		}
		return q
	}
	c.Trigger.Where, c.Trigger.When, c.Audience = pred(c.Trigger.Where), pred(c.Trigger.When), pred(c.Audience)
	c.Goals, c.Stops, c.Steps = slices.Clone(c.Goals), slices.Clone(c.Stops), slices.Clone(c.Steps)
	for i := range c.Goals {
		c.Goals[i].Match.Where = pred(c.Goals[i].Match.Where)
	}
	for i := range c.Stops {
		c.Stops[i].Where = pred(c.Stops[i].Where)
	}
	for i := range c.Steps {
		s := &c.Steps[i]
		if s.Wait != nil {
			w := *s.Wait
			w.For = slices.Clone(w.For)
			for k := range w.For {
				w.For[k].Match.Where = pred(w.For[k].Match.Where)
			}
			if w.RestartOn != nil {
				m := *w.RestartOn
				m.Where = pred(m.Where)
				w.RestartOn = &m
			}
			s.Wait = &w
		}
		if s.Branch != nil {
			b := audit.Branch{Arms: slices.Clone(s.Branch.Arms)}
			for k := range b.Arms {
				b.Arms[k].When = pred(b.Arms[k].When)
			}
			s.Branch = &b
		}
	}
}

// other is another comparison in the place of one.
func (d *draw) other(c audit.Comparison) audit.Comparison {
	r := d.f.Values
	text, _ := c.Value.(string)
	ordered := c.Op == ">=" || c.Op == "<"
	of := audit.Comparison{Subject: c.Subject, Op: c.Op}
	switch {
	case r.Inside && c.Sum == "total":
		c.Sum = "order.total"
	case r.Slides && c.Count != "" && c.Sum == "" && c.Window != 0 && c.Value == 1.0 && ordered:
		of.Last, of.Window = c.Count, c.Window
		return of
	case r.Slides && c.Path == "score" && c.Value == 3.0 && ordered:
		of.Past, of.Path = true, "ends"
		return of
	case r.Devices && c.Path == "level" && c.Op == "!=":
		of.Zone = true
		of.Value = map[string]string{"basic": "Europe/Kyiv", "silver": "+02:00"}[text]
		if of.Value == "" {
			of.Value = "America/New_York"
		}
		return of
	case r.Digits && c.Path == "color" && c.Subject != audit.SubjectCustomer:
		of.Text, of.Path, of.Value = true, "big", "1200"
		if text == "red" {
			of.Value = "100000000000000000000"
		}
		return of
	}
	return c
}
