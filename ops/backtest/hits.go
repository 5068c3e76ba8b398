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

// Hits is a sink that notes what hits triggers on its way to another sink. A trigger is hit
// when it matches, whether or not the audience or another rule then refuses the entry.
type Hits struct {
	simulate.Sink
	Days     int    // how far back hits count, from the last call; 0: none are noted
	Property string // of the events that hit, to be summed up; empty: none

	event    string // id of the current call
	value    unit.Money
	currency string
	last     int64 // log time of the last call, ms
	all      []hit
}

type hit struct {
	at                 int64
	campaign, customer string
	entered            bool
	value              unit.Money
	currency           string
}

// Call says which call comes now, and when (log time, ms).
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

// Last is the log time of the last call, in ms.
func (h *Hits) Last() int64 { return h.last }

// Decision implements [simulate.Sink].
func (h *Hits) Decision(d *output.Decision) error {
	switch d.Kind {
	case output.Entered, output.Refreshed, output.Refused:
		if h.Days == 0 {
			break
		}
		one := hit{at: d.At, campaign: d.Campaign, customer: d.Customer, entered: d.Kind != output.Refused}
		if d.EventID != "" && d.EventID == h.event {
			one.value, one.currency = h.value, h.currency
		}
		h.all = append(h.all, one)
	default:
	}
	return h.Sink.Decision(d)
}

// Row is what hit one campaign's trigger.
type Row struct {
	Campaign  string `json:"campaign"`
	Customers int    `json:"customers"`
	Hits      int    `json:"hits"`
	Entered   int    `json:"entered"` // of the hits
	// Value is the sum over the hits, of events that have the property; nil without
	// Property, and where the events have several currencies: then Values has them.
	Value  *simulate.Revenue `json:"value"`
	Values simulate.Revenues `json:"values,omitempty"`
	// Sum is the same with all currencies.
	Sum simulate.Purse `json:"-"`
}

// Rows counts the hits of the last days, up to the last call: after it the clock only runs
// on. Names are those that have a line even when nothing hit.
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

// Write leaves the rows in dir as hits.json.
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

func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
