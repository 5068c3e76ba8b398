package program

import "github.com/nudge-engine/nudge/campaign/expr"

// exprs are all the expressions of a program.
func (p *Program) exprs() []*expr.Expr {
	var all []*expr.Expr
	add := func(e *expr.Expr) {
		if e != nil {
			all = append(all, e)
		}
	}
	switch t := p.Trigger.(type) {
	case *EventTrigger:
		add(t.Where)
	case *CountTrigger:
		add(t.Where)
	case *InactivityTrigger:
		add(t.Where)
	case *StreakTrigger:
		add(t.Where)
		if t.BreakOn != nil {
			add(t.BreakOn.Where)
		}
	case *ThresholdTrigger:
		add(t.Value)
	case *SegmentTrigger:
		add(t.When)
	case *DateTrigger:
		add(t.Path)
	case *BroadcastTrigger:
		add(t.Audience)
	case *ChangeTrigger, *ScheduleTrigger, *WebhookTrigger:
	}
	add(p.Audience)
	add(p.Reentry.Key)
	for i := range p.Goals {
		add(p.Goals[i].Value)
		add(p.Goals[i].Currency)
	}
	for _, m := range p.Matchers() {
		add(m.Where)
	}
	if p.Policy.Dedupe != nil {
		add(p.Policy.Dedupe.Key)
	}
	for i := range p.Steps {
		p.Steps[i].Verb.exprs(add)
	}
	return all
}
