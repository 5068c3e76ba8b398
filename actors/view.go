package actors

import (
	"encoding/json"
	"strings"

	"github.com/nudge-engine/nudge/campaign"
)

// View is a customer as the API shows it.
type View struct {
	Workspace string          `json:"workspace"`
	ID        string          `json:"id"`
	CreatedAt string          `json:"created_at"`
	Traits    json.RawMessage `json:"traits"`
	Tags      []string        `json:"tags,omitempty"`
	Counters  []CounterView   `json:"counters"`
	Windows   []WindowView    `json:"windows,omitempty"`
	Chains    []ChainView     `json:"chains"`
	Armed     []ArmedView     `json:"armed"` // inactivity and date triggers
	Pending   []PendingView   `json:"pending"`
	Recent    []DecisionView  `json:"recent_decisions"` // since this process started, newest first

	MergedInto string   `json:"merged_into,omitempty"` // the known customer that this anonymous one became
	MergedFrom []string `json:"merged_from,omitempty"` // anonymous customers who became this one
}

// CounterView is one counter.
type CounterView struct {
	Event string            `json:"event"`
	Where string            `json:"where,omitempty"`
	Count uint64            `json:"count"`
	First string            `json:"first"`
	Last  string            `json:"last"`
	Sums  map[string]string `json:"sums,omitempty"`
}

// WindowView is one counter with a window: what is kept of it.
type WindowView struct {
	Event       string `json:"event"`
	Count       uint64 `json:"count"`
	From        string `json:"from"`
	Approximate bool   `json:"approximate"` // more occurrences than are kept one by one
}

// ChainView is one live chain.
type ChainView struct {
	Campaign  string `json:"campaign"`
	Version   uint32 `json:"version"`
	Entry     uint32 `json:"entry"`
	Key       string `json:"key"`
	EnteredAt string `json:"entered_at"`
	Step      string `json:"step"`
	NextTimer string `json:"next_timer,omitempty"`
}

// ArmedView is an armed inactivity or date trigger.
type ArmedView struct {
	Campaign string `json:"campaign"`
	Due      string `json:"due"`
}

// PendingView is a delivery without a final result.
type PendingView struct {
	DeliveryID string `json:"delivery_id"`
	Campaign   string `json:"campaign"`
	Step       string `json:"step"`
	Channel    string `json:"channel"`
	Attempt    uint32 `json:"attempt"`
	RetryAt    string `json:"retry_at,omitempty"`
	Expires    string `json:"expires"`
}

// DecisionView is one decision.
type DecisionView struct {
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

func newView(c *campaign.Customer, decisions []noted) *View {
	v := &View{
		Workspace: c.Workspace, ID: c.ID, CreatedAt: campaign.FormatTime(c.CreatedAt), Traits: c.Traits,
		Tags: c.Tags, Counters: []CounterView{}, Chains: []ChainView{}, Armed: []ArmedView{}, Pending: []PendingView{},
		Recent: []DecisionView{},
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
		v.Counters = append(v.Counters, newCounterView(&c.Counters[i]))
	}
	for _, ch := range c.Chains {
		if ch.Outcome == campaign.Active {
			v.Chains = append(v.Chains, ChainView{
				Campaign: ch.Campaign, Version: ch.Version, Entry: ch.Entry,
				Key: ch.Key, EnteredAt: campaign.FormatTime(ch.EnteredAt), Step: ch.Step,
				NextTimer: campaign.FormatTime(ch.Due),
			})
		}
	}
	for _, w := range c.Watches {
		v.Armed = append(v.Armed, ArmedView{Campaign: w.Campaign, Due: campaign.FormatTime(w.Due)})
	}
	for _, w := range c.Dates {
		if w.Due != 0 {
			v.Armed = append(v.Armed, ArmedView{Campaign: w.Campaign, Due: campaign.FormatTime(w.Due)})
		}
	}
	for i := range c.Windows {
		v.Windows = append(v.Windows, newWindowView(&c.Windows[i]))
	}
	for i := range c.Pending {
		d := &c.Pending[i].Delivery
		v.Pending = append(v.Pending, PendingView{
			DeliveryID: d.ID.String(), Campaign: d.Campaign, Step: d.Step,
			Channel: d.Channel, Attempt: d.Attempt, RetryAt: campaign.FormatTime(c.Pending[i].RetryAt),
			Expires: campaign.FormatTime(d.Expires),
		})
	}
	for _, d := range decisions {
		v.Recent = append(v.Recent, DecisionView{
			At: campaign.FormatTime(d.At), Kind: string(d.Kind), Campaign: d.Campaign,
			Key: d.Key, Step: d.Step, Reason: string(d.Reason), Detail: d.Detail, Answer: d.answer, EventID: d.EventID,
		})
	}
	return v
}

func newWindowView(w *campaign.Window) WindowView {
	v := WindowView{Event: w.Event, Approximate: w.Approximate()}
	for i := range w.Items {
		v.Count += w.Items[i].Count
	}
	if len(w.Items) > 0 {
		v.From = campaign.FormatTime(w.Items[0].Time)
	}
	return v
}

func newCounterView(c *campaign.Counter) CounterView {
	event, where, _ := strings.Cut(c.ID, "\x00")
	v := CounterView{
		Event: event, Where: where, Count: c.Count,
		First: campaign.FormatTime(c.First), Last: campaign.FormatTime(c.Last),
	}
	for _, s := range c.Sums {
		if v.Sums == nil {
			v.Sums = map[string]string{}
		}
		v.Sums[s.Property] = s.Total.String()
	}
	return v
}
