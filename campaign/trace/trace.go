package trace

import (
	"reflect"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// maxTraced bounds the rows of a trace.
const maxTraced = 100_000

// Rule names what a machine asks. The list is closed and documented in docs/reference/explain.md.
type Rule string

// The rules, in the order in which a chain's life asks them.
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

// Answer is what a rule said.
type Answer string

// The answers. Yes lets a chain start, a delivery go, or is a match; a note says how
// things stand where there is nothing to refuse.
const (
	Yes  Answer = "yes"
	No   Answer = "no"
	Note Answer = "note"
)

// Fact is one value that a rule looked at.
type Fact struct {
	Name  string
	Value string // JSON; empty: the value is missing
}

// RuleResult is one rule that was asked, or one decision that was written down.
type RuleResult struct {
	Campaign string // empty where a decision concerns none
	Version  uint32
	Key      string // of the chain
	Entry    uint32 // of the chain; 0: there is none
	Step     string
	Channel  string

	Rule   Rule // empty for a decision
	Answer Answer
	About  string   // which of several: a goal's id, an event, a cap
	Source string   // of the expression, empty when the rule has none
	Facts  []Fact   // what was compared, in the order in which it is read
	Unmet  []string // the smallest parts of the expression because of which it does not hold

	Decision *output.Decision // nil for a rule
}

// Step is what made the machine ask: a record, a timer, a visit.
type Step struct {
	At      int64  // log time, ms
	What    string // event, derived event, timer, result, broadcast, ...
	Name    string // of the event, or what the timer is of
	ID      string // of the event
	Time    int64  // event time, ms; 0 without an event
	Due     int64  // of a timer, ms
	Results []RuleResult
}

// Trace collects what is asked about one customer. It is given to a machine (or to a
// shard) before its first record, and belongs to that machine's goroutine.
type Trace struct {
	Workspace string
	Customer  string
	Campaign  string // empty: all
	// Steps are in the order in which they came; those at which nothing was asked are
	// left out.
	Steps []Step
	Left  int // rows beyond the limit, which are not kept

	lang  *expr.Language
	open  Step // the present one, while nothing was asked
	fresh bool // it is not among the occasions yet
	rows  int
	Mute  bool                  // decisions are not noted
	parts map[string]*exprParts // by source
}

// NewTrace is a trace of a customer; campaign is empty for all.
func NewTrace(lang *expr.Language, workspace, customer, campaign string) *Trace {
	return &Trace{
		Workspace: workspace, Customer: customer, Campaign: campaign, lang: lang, parts: map[string]*exprParts{},
	}
}

// Of is the trace, if the customer is its.
func (t *Trace) Of(c *customer.Customer) *Trace {
	if t == nil || c.ID != t.Customer || c.Workspace != t.Workspace {
		return nil
	}
	return t
}

// Step begins what follows.
func (t *Trace) Step(o Step) { t.open, t.fresh = o, true }

// Note adds a row to the present occasion.
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

// Decided notes a decision.
func (t *Trace) Decided(d output.Decision) {
	if t.Mute {
		return
	}
	t.Note(RuleResult{
		Campaign: d.Campaign, Version: d.Version, Key: d.Key, Entry: d.Entry, Step: d.Step, Decision: &d,
	})
}

// Fires says that the trigger that was asked last fired.
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

// AnswerOf returns Yes or No.
func AnswerOf(yes bool) Answer {
	if yes {
		return Yes
	}
	return No
}

// Row is a row about a campaign, or about a chain of it (nil: none).
func Row(p *program.Program, ch *customer.Chain, rule Rule, a Answer, facts ...Fact) RuleResult {
	r := RuleResult{Campaign: p.Name, Version: p.Version, Rule: rule, Answer: a, Facts: facts}
	if ch != nil {
		r.Version, r.Key, r.Entry, r.Step = ch.Version, ch.Key, ch.Entry, ch.Step
	}
	return r
}

// Aside notes that a record of a customer was not applied, or that what applying it did
// was undone. It is safe on a nil trace.
func (t *Trace) Aside(workspace, customer string, at int64, d output.Decision) {
	if t == nil || workspace != t.Workspace || customer != t.Customer {
		return
	}
	t.Step(Step{At: at, What: "record", ID: d.EventID})
	t.Note(RuleResult{Decision: &d})
}
