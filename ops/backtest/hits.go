package backtest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/internal/simulate"
)

// Hits is a sink that notes what hits triggers, and passes everything on to another sink. A
// trigger is hit when it matches, whether or not the audience or another rule then refuses the
// entry: it tells an author how often an event happens to whom, before they decide on rules.
// It belongs to one goroutine.
type Hits struct {
	simulate.Sink
	// Days is how far back hits count, from the last call; 0: none are noted.
	Days int
	// Property is the property of the events that hit which is summed up; empty: none.
	Property string

	// The current call, as Call gave it: its id and the amount of Property in it.
	event    string
	value    unit.Money
	currency string
	// last is the log time of the last call, in ms.
	last int64
	all  []hit
}

// hit is one match of a trigger. An amount is there only when the event itself is the hit, and
// not a timer that it set.
type hit struct {
	at                 int64
	campaign, customer string
	entered            bool
	value              unit.Money
	currency           string
}

// Call says which call comes next, and when (log time, ms). The decisions that follow are
// those that it leads to.
func (h *Hits) Call(e *event.Event, at int64) {
	h.event, h.value, h.currency, h.last = e.ID, 0, "", at
	if h.Property == "" {
		return
	}
	if v, err := fastjson.ParseBytes(e.Properties); err == nil {
		if amount := v.Get(h.Property); amount != nil {
			h.value, _ = unit.AmountOf(amount)
			h.currency = unit.CurrencyCode(string(v.GetStringBytes("currency")))
		}
	}
}

// Last returns the log time of the last call, in ms.
func (h *Hits) Last() int64 { return h.last }

// Decision implements [simulate.Sink]. Entries, refreshes and refusals are hits; other
// decisions have nothing to do with a trigger.
func (h *Hits) Decision(d *output.Decision) error {
	switch d.Kind {
	case output.Entered, output.Refreshed, output.Refused:
		if h.Days == 0 {
			break
		}
		one := hit{at: d.At, campaign: d.Campaign, customer: d.Customer, entered: d.Kind != output.Refused}
		// A decision about another event, for example one that a timer leads to, has no
		// amount.
		if d.EventID != "" && d.EventID == h.event {
			one.value, one.currency = h.value, h.currency
		}
		h.all = append(h.all, one)
	default:
	}
	return h.Sink.Decision(d)
}

// Row says how often the trigger of one campaign was hit.
type Row struct {
	Campaign string `json:"campaign"`
	// Customers counts each customer once.
	Customers int `json:"customers"`
	Hits      int `json:"hits"`
	// Entered counts the hits that were not refused.
	Entered int `json:"entered"`
	// Value is the sum over the hits of those events that have the property. It is nil without
	// Property, and where the events have several currencies: then Values has the sums.
	Value  *simulate.Revenue `json:"value"`
	Values simulate.Revenues `json:"values,omitempty"`
	// Sum is the same with all currencies.
	Sum simulate.Purse `json:"-"`
}

// Rows counts the hits of the last Days, up to the last call; what fires after it, while the
// clock only runs on, has no events to be compared with. names are the campaigns that have a
// row even when nothing hit. Rows are sorted by campaign.
func (h *Hits) Rows(names []string) (rows []*Row) {
	from := h.last - int64(h.Days)*24*3600*1000
	by, seen := map[string]*Row{}, map[[2]string]bool{}
	for _, name := range names {
		by[name] = &Row{Campaign: name}
		rows = append(rows, by[name])
	}
	for i := range h.all {
		x := &h.all[i]
		row := by[x.campaign]
		// Hits of campaigns that are not asked for, or outside of the days.
		if row == nil || x.at <= from || x.at > h.last {
			continue
		}
		row.Hits++
		if x.entered {
			row.Entered++
		}
		if who := [2]string{x.campaign, x.customer}; !seen[who] {
			seen[who] = true
			row.Customers++
		}
		row.Sum.Add(x.currency, x.value)
	}
	sort.Slice(rows, func(i, j int) bool { return rows[i].Campaign < rows[j].Campaign })
	for _, row := range rows {
		if h.Property != "" {
			one, several := row.Sum.Figures()
			row.Value, row.Values = &one, several
		}
	}
	return rows
}

// Write writes the rows to hits.json in dir.
func (h *Hits) Write(dir string, names []string) error {
	text, err := json.MarshalIndent(struct {
		From      string  `json:"from"` // exclusive
		To        string  `json:"to"`   // inclusive
		Property  *string `json:"property"`
		Campaigns []*Row  `json:"campaigns"`
	}{
		unit.FormatTime(h.last - int64(h.Days)*24*3600*1000), unit.FormatTime(h.last), given(h.Property),
		h.Rows(names),
	}, "", "  ")
	if err != nil {
		return fmt.Errorf("simulate: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, "hits.json"), append(text, '\n'), 0o600)
}

// given returns nil for an empty text, which is null in JSON.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
