// Package explain shows why a customer was or was not sent something: it turns a trace of
// the engine into JSON for programs and text for people. It is what nudge explain and the
// explain endpoint print.
//
// It decides nothing, and its output depends on the trace alone: the same trace gives the
// same bytes. The JSON names are an interface; docs/reference/explain.md describes them.
package explain

import (
	"encoding/json"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// Explanation is a trace in the form in which it is shown. All times are RFC 3339 in UTC.
type Explanation struct {
	Customer string `json:"customer"`
	Campaign string `json:"campaign,omitempty"` // empty: all
	// Until is the end of the history; empty where only the present is explained.
	Until string `json:"until,omitempty"`
	// Reach is the instant from which the history is whole, because what came before is no
	// longer in the log; empty where it begins with the customer's first record.
	Reach string `json:"reach,omitempty"`
	// From and To limit what is shown of the history; empty where no limit was asked for.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Occasions are in the order of the log.
	Occasions []Occasion `json:"occasions"`
	// Left is the number of results beyond the limit of a trace, which are not shown.
	Left int `json:"left_out,omitempty"`
	// Decisions are the last ones that the server remembers, newest first.
	Decisions []Decision `json:"recent_decisions,omitempty"`
}

// Occasion is what made the engine evaluate rules: a record, a timer, a visit of a bulk
// scan.
type Occasion struct {
	// At is log time; Time is when the event happened; Due is when the timer was due.
	At   string `json:"at"`
	What string `json:"what"`
	Name string `json:"name,omitempty"`
	ID   string `json:"event_id,omitempty"`
	Time string `json:"event_time,omitempty"`
	Due  string `json:"due,omitempty"`
	// Asked has the rules in the order in which they were evaluated, with the decisions
	// among them.
	Asked []Row `json:"asked"`
}

// Row is one rule that was evaluated, or one decision. Fields that do not apply are empty.
type Row struct {
	Campaign string `json:"campaign,omitempty"`
	Version  uint32 `json:"version,omitempty"`
	// Key and Entry name the chain; Entry is 0 where no chain is concerned.
	Key     string `json:"key,omitempty"`
	Entry   uint32 `json:"entry,omitempty"`
	Step    string `json:"step,omitempty"`
	Channel string `json:"channel,omitempty"`
	// Rule and Answer are empty for a decision; About says which of several is meant, such
	// as the id of a goal.
	Rule   string  `json:"rule,omitempty"`
	Answer string  `json:"answer,omitempty"`
	About  string  `json:"about,omitempty"`
	Source string  `json:"expression,omitempty"`
	Values []Value `json:"values,omitempty"`
	// Unmet has the smallest conditions because of which the expression does not hold.
	Unmet    []string  `json:"unmet,omitempty"`
	Decision *Decision `json:"decision,omitempty"`
}

// Value is one value that a rule compared; null where it is missing.
type Value struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

// Decision is one decision of the engine with its reason. Kind and reason are those of
// docs/reference/reasons.md.
type Decision struct {
	At       string `json:"at,omitempty"`
	Campaign string `json:"campaign,omitempty"`
	Key      string `json:"key,omitempty"`
	Entry    uint32 `json:"entry,omitempty"`
	Step     string `json:"step,omitempty"`
	Kind     string `json:"kind"`
	Reason   string `json:"reason,omitempty"`
	Detail   string `json:"detail,omitempty"`
	EventID  string `json:"event_id,omitempty"`
}

// Of returns the explanation of a trace. Occasions before from and after until are left
// out; both are inclusive, in ms, and 0 means no bound.
func Of(t *trace.Trace, from, until int64) *Explanation {
	x := &Explanation{
		Customer: t.Customer, Campaign: t.Campaign, Left: t.Left, Occasions: []Occasion{},
		From: unit.FormatTime(from), To: unit.FormatTime(until),
	}
	for i := range t.Steps {
		o := &t.Steps[i]
		if o.At < from || until != 0 && o.At > until {
			continue
		}
		shown := Occasion{
			At: unit.FormatTime(o.At), What: o.What, Name: o.Name, ID: o.ID, Time: unit.FormatTime(o.Time),
			Due: unit.FormatTime(o.Due),
		}
		for j := range o.Results {
			shown.Asked = append(shown.Asked, rowOf(&o.Results[j]))
		}
		x.Occasions = append(x.Occasions, shown)
	}
	return x
}

// Recent adds the last decisions that the server remembers, newest first.
func (x *Explanation) Recent(decisions []output.Decision) {
	for i := range decisions {
		x.Decisions = append(x.Decisions, decisionOf(&decisions[i]))
	}
}

// rowOf turns one result of a trace into a row.
func rowOf(a *trace.RuleResult) Row {
	r := Row{
		Campaign: a.Campaign, Version: a.Version, Key: a.Key, Entry: a.Entry, Step: a.Step, Channel: a.Channel,
		Rule: string(a.Rule), Answer: string(a.Answer), About: a.About, Source: a.Source, Unmet: a.Unmet,
	}
	for _, f := range a.Facts {
		v := Value{Name: f.Name, Value: json.RawMessage("null")}
		if f.Value != "" {
			v.Value = valueOf(f.Value)
		}
		r.Values = append(r.Values, v)
	}
	if a.Decision != nil {
		d := decisionOf(a.Decision)
		d.At, d.EventID = "", "" // those of the occasion
		r.Decision = &d
	}
	return r
}

// valueOf returns the JSON of a fact. A fact that was cut is no JSON any more, and becomes
// a text.
func valueOf(text string) json.RawMessage {
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		return json.RawMessage("null")
	}
	return quoted
}

// decisionOf turns a decision into its shown form.
func decisionOf(d *output.Decision) Decision {
	return Decision{
		At: unit.FormatTime(d.At), Campaign: d.Campaign, Key: d.Key, Entry: d.Entry, Step: d.Step,
		Kind: string(d.Kind), Reason: string(d.Reason), Detail: d.Detail, EventID: d.EventID,
	}
}
