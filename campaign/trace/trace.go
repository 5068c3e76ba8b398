package trace

import (
	"reflect"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// maxTraced is the greatest number of results in a trace, which bounds its memory. A customer who has
// ten events a day has some ten thousand a year.
const maxTraced = 100_000

// Rule names a question that a machine asks about a customer. The values are part of the output of
// nudge explain; the list is closed and documented in docs/reference/explain.md.
type Rule string

// The rules, in the order in which they are asked over the life of a chain.
const (
	RuleTrigger    Rule = "trigger"
	RuleHistorical Rule = "historical"
	RuleAge        Rule = "max_event_age"
	RuleStatus     Rule = "status"
	RulePeriod     Rule = "period" // from and until
	RuleKey        Rule = "key"
	RuleReentry    Rule = "reentry"
	RuleActive     Rule = "max_active"
	RuleAudience   Rule = "audience"
	RuleConverted  Rule = "already_converted"
	RuleStopped    Rule = "already_stopped"
	RuleGroup      Rule = "group"
	RuleHoldout    Rule = "holdout"
	RuleReverse    Rule = "reverse_on"
	RuleGoal       Rule = "goal"
	RuleStop       Rule = "stop"
	RuleWait       Rule = "wait"
	RuleRestart    Rule = "restart_on"
	RuleBranch     Rule = "branch"
	RuleExperiment Rule = "experiment"
	RuleRest       Rule = "rests"
	RuleLate       Rule = "late"
	RuleRecheck    Rule = "recheck"
	RuleSends      Rule = "sends"
	RuleDisturb    Rule = "do_not_disturb"
	RuleConsent    Rule = "consent"
	RulePreference Rule = "preference"
	RuleQuiet      Rule = "quiet_hours"
	RuleCap        Rule = "cap"
	RuleConflict   Rule = "conflict"
	RuleDedupe     Rule = "dedupe"
	RuleVariables  Rule = "variables"
	RulePending    Rule = "pending"
	RuleDrop       Rule = "on_drop"
)

// Answer is the answer of a rule.
type Answer string

// How a rule can answer. Yes is a match, or lets a chain start or a delivery go; Note says how things
// stand where there is nothing to refuse.
const (
	Yes  Answer = "yes"
	No   Answer = "no"
	Note Answer = "note"
)

// Fact is one value that a rule compared.
type Fact struct {
	Name string
	// Value is JSON, at most MaxFact bytes or a little more; empty where the value is missing.
	Value string
}

// RuleResult is one rule that was evaluated, or one decision that was made.
type RuleResult struct {
	Campaign string // empty where a decision concerns none
	Version  uint32
	// Key is the re-entry key of the chain.
	Key string
	// Entry is the entry number of the chain; 0 where no chain is concerned.
	Entry   uint32
	Step    string
	Channel string

	Rule   Rule // empty for a decision
	Answer Answer
	// About says which of several is meant: the id of a goal, the name of an event or cap.
	About  string
	Source string // of the expression, empty when the rule has none
	// Facts has what was compared, in the order in which the expression names it.
	Facts []Fact
	// Unmet has the smallest conditions of the expression because of which it does not hold.
	Unmet []string

	Decision *output.Decision // nil for a rule
}

// Step is the occasion on which a machine evaluates rules: a record, a timer, a bulk task.
type Step struct {
	At int64 // log time, ms
	// What is the kind of occasion: event, derived event, timer, result, broadcast, and so on.
	What string
	// Name is the name of the event, or what the timer belongs to.
	Name string
	ID   string // of the event
	Time int64  // event time, ms; 0 without an event
	// Due is when the timer was due, in ms; 0 for other occasions.
	Due     int64
	Results []RuleResult
}

// Trace collects the rules that are evaluated for one customer. It is given to a machine, or to a
// shard, before the first record, and is used by the goroutine of that machine only. Its methods that a
// machine calls accept a nil Trace where they say so.
type Trace struct {
	Workspace string
	Customer  string
	Campaign  string // empty: all
	// Steps are in the order in which they happened. Those on which no rule was evaluated are left out.
	Steps []Step
	// Left is the number of results beyond maxTraced, which are not kept.
	Left int

	lang *expr.Language
	// open is the current step, which becomes part of Steps with its first result.
	open Step
	// fresh is true until then.
	fresh bool
	// rows is the number of results in all Steps.
	rows int
	// Mute, while true, keeps decisions out of the trace.
	Mute bool
	// parts has the expressions that were taken apart, by source.
	parts map[string]*exprParts
}

// NewTrace returns an empty trace for a customer. campaign limits it to one campaign; empty means all.
// lang must be the language in which the expressions of the programs are compiled.
func NewTrace(lang *expr.Language, workspace, customer, campaign string) *Trace {
	return &Trace{
		Workspace: workspace, Customer: customer, Campaign: campaign, lang: lang, parts: map[string]*exprParts{},
	}
}

// Of returns t where it traces the customer c, and nil otherwise. t may be nil.
func (t *Trace) Of(c *customer.Customer) *Trace {
	if t == nil || c.ID != t.Customer || c.Workspace != t.Workspace {
		return nil
	}
	return t
}

// Step begins a new step, to which the following results belong.
func (t *Trace) Step(o Step) { t.open, t.fresh = o, true }

// Note adds a result to the current step, unless it concerns a campaign that is not traced. A rule that
// is evaluated twice in a row with the same result is noted once.
func (t *Trace) Note(a RuleResult) {
	if t.Campaign != "" && a.Campaign != "" && a.Campaign != t.Campaign {
		return
	}
	if t.rows >= maxTraced {
		t.Left++
		return
	}
	if n := len(t.Steps); !t.fresh && n > 0 {
		asked := t.Steps[n-1].Results
		if a.Decision == nil && reflect.DeepEqual(asked[len(asked)-1], a) {
			return // asked again at once, of the same
		}
	}
	t.rows++
	if t.fresh {
		t.Steps, t.fresh = append(t.Steps, t.open), false
	}
	o := &t.Steps[len(t.Steps)-1]
	o.Results = append(o.Results, a)
}

// Decided adds a decision to the current step, unless the trace is muted.
func (t *Trace) Decided(d output.Decision) {
	if t.Mute {
		return
	}
	t.Note(RuleResult{
		Campaign: d.Campaign, Version: d.Version, Key: d.Key, Entry: d.Entry, Step: d.Step, Decision: &d,
	})
}

// Fires changes the last answer about a campaign to Yes, where it is that of its trigger. Whether the
// trigger fires is known only after its condition was noted.
func (t *Trace) Fires(campaign string) {
	if t.fresh || len(t.Steps) == 0 {
		return
	}
	asked := t.Steps[len(t.Steps)-1].Results
	for i := len(asked) - 1; i >= 0; i-- {
		if asked[i].Campaign == campaign {
			if asked[i].Rule == RuleTrigger {
				asked[i].Answer = Yes
			}
			return
		}
	}
}

// AnswerOf returns Yes for true and No for false.
func AnswerOf(yes bool) Answer {
	if yes {
		return Yes
	}
	return No
}

// Row returns the result of a rule about a campaign, and about a chain of it where ch is not nil.
func Row(p *program.Program, ch *customer.Chain, rule Rule, a Answer, facts ...Fact) RuleResult {
	r := RuleResult{Campaign: p.Name, Version: p.Version, Rule: rule, Answer: a, Facts: facts}
	if ch != nil {
		r.Version, r.Key, r.Entry, r.Step = ch.Version, ch.Key, ch.Entry, ch.Step
	}
	return r
}

// Aside adds a step with the decision d about a record of a customer that was not applied, or whose
// effect was undone. It does nothing where t is nil or traces another customer. at is log time in ms.
func (t *Trace) Aside(workspace, customer string, at int64, d output.Decision) {
	if t == nil || workspace != t.Workspace || customer != t.Customer {
		return
	}
	t.Step(Step{At: at, What: "record", ID: d.EventID})
	t.Note(RuleResult{Decision: &d})
}
