package view

import (
	"encoding/json"
	"strings"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// Customer is a customer as the API shows it. Instants are RFC 3339 in UTC, "" if there
// is none.
type Customer struct {
	Workspace string          `json:"workspace"`
	ID        string          `json:"id"`
	CreatedAt string          `json:"created_at"`
	Traits    json.RawMessage `json:"traits"` // a JSON object, {} if there are none
	Tags      []string        `json:"tags,omitempty"`
	Counters  []Counter       `json:"counters"`
	Windows   []Window        `json:"windows,omitempty"` // counters over a window of time
	Chains    []Chain         `json:"chains"`
	// Armed are the inactivity and date triggers that are set.
	Armed   []Armed   `json:"armed"`
	Pending []Pending `json:"pending"` // deliveries without a final result
	// Recent are decisions since this process started, newest first. Earlier ones are in
	// the warehouse.
	Recent []Decision `json:"recent_decisions"`

	// MergedInto is the known customer that this anonymous one became; all else is then
	// empty. MergedFrom are the anonymous customers who became this one.
	MergedInto string   `json:"merged_into,omitempty"`
	MergedFrom []string `json:"merged_from,omitempty"`
}

// Counter is a counter over the whole history of a customer.
type Counter struct {
	Event string `json:"event"`
	// Where is the source of the condition on the event; empty: all events of the name
	// count.
	Where string            `json:"where,omitempty"`
	Count uint64            `json:"count"`
	First string            `json:"first"`          // time of the first event counted
	Last  string            `json:"last"`           // time of the last one
	Sums  map[string]string `json:"sums,omitempty"` // sums by property, as decimal numbers
}

// Window is what is kept of a counter with a window.
type Window struct {
	Event string `json:"event"`
	// Count is the sum over what is kept, so it may include what has left the window
	// since the customer was last touched.
	Count       uint64 `json:"count"`
	From        string `json:"from"`        // time of the oldest occurrence that is kept
	Approximate bool   `json:"approximate"` // there were more occurrences than are kept one by one
}

// Chain is one live chain.
type Chain struct {
	Campaign string `json:"campaign"`
	Version  uint32 `json:"version"` // of the campaign
	Entry    uint32 `json:"entry"`   // number of the customer's entry into the campaign
	// Key tells chains of one campaign and customer apart, for example an order's; "" if
	// the campaign has no key.
	Key       string `json:"key"`
	EnteredAt string `json:"entered_at"`
	Step      string `json:"step"`                 // id of the step at which the chain is
	NextTimer string `json:"next_timer,omitempty"` // when it goes on by itself; empty: only an event moves it
}

// Armed is an inactivity or date trigger that is set.
type Armed struct {
	Campaign string `json:"campaign"`
	Due      string `json:"due"`
}

// Pending is a delivery without a final result.
type Pending struct {
	DeliveryID string `json:"delivery_id"`
	Campaign   string `json:"campaign"`
	Step       string `json:"step"`
	Channel    string `json:"channel"`
	Attempt    uint32 `json:"attempt"`            // number of the current attempt, from 1
	RetryAt    string `json:"retry_at,omitempty"` // when the next attempt is made; empty: one is under way
	Expires    string `json:"expires"`            // when it is given up
}

// Decision is one decision about the customer.
type Decision struct {
	At       string `json:"at"`
	Kind     string `json:"kind"`
	Campaign string `json:"campaign,omitempty"`
	// Key is the key of the chain, Step the step that the decision is about.
	Key  string `json:"key,omitempty"`
	Step string `json:"step,omitempty"`
	// Reason is why (docs/reference/reasons.md); Detail says more, for example the
	// channel.
	Reason string `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"`
	Answer string `json:"answer,omitempty"` // what the channel said, or why it was not asked
	// EventID is the id of the event that led to it; empty if a timer did.
	EventID string `json:"event_id,omitempty"`
}

// New returns the view of a customer with decisions about them, newest first. It shares
// the customer's traits and tags, so it must be used up before the customer changes.
func New(c *customer.Customer, decisions []Noted) *Customer {
	v := &Customer{
		Workspace: c.Workspace, ID: c.ID, CreatedAt: unit.FormatTime(c.CreatedAt), Traits: c.Traits,
		Tags: c.Tags, Counters: []Counter{}, Chains: []Chain{}, Armed: []Armed{}, Pending: []Pending{},
		Recent: []Decision{},
	}
	// Clients expect an object and lists, never null.
	if v.Traits == nil {
		v.Traits = json.RawMessage("{}")
	}
	if c.Merged != nil {
		v.MergedInto = c.Merged.Into
	}
	for i := range c.Sources {
		v.MergedFrom = append(v.MergedFrom, c.Sources[i].ID)
	}
	for i := range c.Counters {
		v.Counters = append(v.Counters, newCounter(&c.Counters[i]))
	}
	for _, ch := range c.Chains {
		// An ended chain is kept while a goal window is open; it does nothing any more.
		if ch.Outcome == output.Active {
			v.Chains = append(v.Chains, Chain{
				Campaign: ch.Campaign, Version: ch.Version, Entry: ch.Entry,
				Key: ch.Key, EnteredAt: unit.FormatTime(ch.EnteredAt), Step: ch.Step,
				NextTimer: unit.FormatTime(ch.Due),
			})
		}
	}
	for _, w := range c.Watches {
		v.Armed = append(v.Armed, Armed{Campaign: w.Campaign, Due: unit.FormatTime(w.Due)})
	}
	for _, w := range c.Dates {
		// A date trigger whose date has passed is kept without a timer.
		if w.Due != 0 {
			v.Armed = append(v.Armed, Armed{Campaign: w.Campaign, Due: unit.FormatTime(w.Due)})
		}
	}
	for i := range c.Windows {
		v.Windows = append(v.Windows, newWindow(&c.Windows[i]))
	}
	for i := range c.Pending {
		d := &c.Pending[i].Delivery
		v.Pending = append(v.Pending, Pending{
			DeliveryID: d.ID.String(), Campaign: d.Campaign, Step: d.Step,
			Channel: d.Channel, Attempt: d.Attempt, RetryAt: unit.FormatTime(c.Pending[i].RetryAt),
			Expires: unit.FormatTime(d.Expires),
		})
	}
	for _, d := range decisions {
		v.Recent = append(v.Recent, Decision{
			At: unit.FormatTime(d.At), Kind: string(d.Kind), Campaign: d.Campaign,
			Key: d.Key, Step: d.Step, Reason: string(d.Reason), Detail: d.Detail, Answer: d.answer, EventID: d.EventID,
		})
	}
	return v
}

// newWindow returns the view of a window.
func newWindow(w *customer.Window) Window {
	v := Window{Event: w.Event, Approximate: w.Approximate()}
	for i := range w.Items {
		v.Count += w.Items[i].Count
	}
	if len(w.Items) > 0 {
		v.From = unit.FormatTime(w.Items[0].Time)
	}
	return v
}

// newCounter returns the view of a counter, whose id is the event name, or name and
// condition with a zero byte between.
func newCounter(c *customer.Counter) Counter {
	event, where, _ := strings.Cut(c.ID, "\x00")
	v := Counter{
		Event: event, Where: where, Count: c.Count,
		First: unit.FormatTime(c.First), Last: unit.FormatTime(c.Last),
	}
	for _, s := range c.Sums {
		if v.Sums == nil {
			v.Sums = map[string]string{}
		}
		v.Sums[s.Property] = s.Total.String()
	}
	return v
}
