package view

import (
	"encoding/json"
	"strings"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// Customer is a customer as the API shows it.
type Customer struct {
	Workspace string          `json:"workspace"`
	ID        string          `json:"id"`
	CreatedAt string          `json:"created_at"`
	Traits    json.RawMessage `json:"traits"`
	Tags      []string        `json:"tags,omitempty"`
	Counters  []Counter       `json:"counters"`
	Windows   []Window        `json:"windows,omitempty"`
	Chains    []Chain         `json:"chains"`
	Armed     []Armed         `json:"armed"` // inactivity and date triggers
	Pending   []Pending       `json:"pending"`
	Recent    []Decision      `json:"recent_decisions"` // since this process started, newest first

	MergedInto string   `json:"merged_into,omitempty"` // the known customer that this anonymous one became
	MergedFrom []string `json:"merged_from,omitempty"` // anonymous customers who became this one
}

// Counter is one counter.
type Counter struct {
	Event string            `json:"event"`
	Where string            `json:"where,omitempty"`
	Count uint64            `json:"count"`
	First string            `json:"first"`
	Last  string            `json:"last"`
	Sums  map[string]string `json:"sums,omitempty"`
}

// Window is one counter with a window: what is kept of it.
type Window struct {
	Event       string `json:"event"`
	Count       uint64 `json:"count"`
	From        string `json:"from"`
	Approximate bool   `json:"approximate"` // more occurrences than are kept one by one
}

// Chain is one live chain.
type Chain struct {
	Campaign  string `json:"campaign"`
	Version   uint32 `json:"version"`
	Entry     uint32 `json:"entry"`
	Key       string `json:"key"`
	EnteredAt string `json:"entered_at"`
	Step      string `json:"step"`
	NextTimer string `json:"next_timer,omitempty"`
}

// Armed is an armed inactivity or date trigger.
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
	Attempt    uint32 `json:"attempt"`
	RetryAt    string `json:"retry_at,omitempty"`
	Expires    string `json:"expires"`
}

// Decision is one decision.
type Decision struct {
	At       string `json:"at"`
	Kind     string `json:"kind"`
	Campaign string `json:"campaign,omitempty"`
	Key      string `json:"key,omitempty"`
	Step     string `json:"step,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Detail   string `json:"detail,omitempty"`
	Answer   string `json:"answer,omitempty"` // of the channel, or why it was not asked
	EventID  string `json:"event_id,omitempty"`
}

// New shows a customer with decisions about them, newest first. What it returns shares
// the customer's traits and tags.
func New(c *customer.Customer, decisions []Noted) *Customer {
	v := &Customer{
		Workspace: c.Workspace, ID: c.ID, CreatedAt: unit.FormatTime(c.CreatedAt), Traits: c.Traits,
		Tags: c.Tags, Counters: []Counter{}, Chains: []Chain{}, Armed: []Armed{}, Pending: []Pending{},
		Recent: []Decision{},
	}
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
