package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/tabwriter"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/internal/simulate"
)

// maxHitDays bounds how far back hits are counted.
const maxHitDays = 3660

// hitOptions ask how often triggers would have been hit.
type hitOptions struct {
	Hits     int    `placeholder:"DAYS" help:"Say how many customers hit each trigger in the last DAYS days of the calls, and how often."`
	HitValue string `placeholder:"PROPERTY" help:"With --hits: sum this property of the events that hit, for example total."`

	found *hits // those of the definitions themselves
}

func (o *hitOptions) validate() error {
	switch {
	case o.Hits < 0 || o.Hits > maxHitDays:
		return fmt.Errorf("--hits %d: must be from 1 to %d", o.Hits, maxHitDays)
	case o.HitValue != "" && o.Hits == 0:
		return errors.New("--hit-value goes with --hits")
	}
	return nil
}

// hits is a sink that notes what hits triggers on its way to another. A trigger is hit
// when it matches, whether or not the audience or another rule then refuses the entry.
type hits struct {
	simulate.Sink
	days     int
	property string
	event    string // id of the call in hand
	value    campaign.Money
	currency string
	last     int64 // log time of the last call, ms
	all      []hit
}

type hit struct {
	at                 int64
	campaign, customer string
	entered            bool
	value              campaign.Money
	currency           string
}

// call says which call comes now, and when.
func (h *hits) call(e *campaign.Event, at int64) {
	h.event, h.value, h.currency, h.last = e.ID, 0, "", at
	if h.property == "" {
		return
	}
	if v, err := fastjson.ParseBytes(e.Properties); err == nil {
		if amount := v.Get(h.property); amount != nil {
			h.value, _ = campaign.AmountOf(amount)
			h.currency = campaign.CurrencyCode(string(v.GetStringBytes("currency")))
		}
	}
}

// Decision implements simulate.Sink.
func (h *hits) Decision(d *campaign.Decision) error {
	switch d.Kind {
	case campaign.Entered, campaign.Refreshed, campaign.Refused:
		if h.days == 0 {
			break
		}
		one := hit{at: d.At, campaign: d.Campaign, customer: d.Customer, entered: d.Kind != campaign.Refused}
		if d.EventID != "" && d.EventID == h.event {
			one.value, one.currency = h.value, h.currency
		}
		h.all = append(h.all, one)
	default:
	}
	return h.Sink.Decision(d)
}

// hitRow is what hit one campaign's trigger.
type hitRow struct {
	Campaign  string `json:"campaign"`
	Customers int    `json:"customers"`
	Hits      int    `json:"hits"`
	Entered   int    `json:"entered"` // of the hits
	// Value is the sum over the hits, of events that have the property; nil without
	// --hit-value, and where the events have several currencies: then Values has them.
	Value  *simulate.Revenue `json:"value"`
	Values simulate.Revenues `json:"values,omitempty"`
	purse  simulate.Purse
}

// rows counts the hits of the last days, up to the last call: after it the clock only runs
// on. Names are those that have a line even when nothing hit.
func (h *hits) rows(names []string) (rows []*hitRow) {
	from := h.last - int64(h.days)*24*3600*1000
	by, seen := map[string]*hitRow{}, map[[2]string]bool{}
	for _, name := range names {
		by[name] = &hitRow{Campaign: name}
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
		row.purse.Add(x.currency, x.value)
	}
	sort.Slice(rows, func(i, j int) bool { return rows[i].Campaign < rows[j].Campaign })
	for _, row := range rows {
		if h.property != "" {
			one, several := row.purse.Figures()
			row.Value, row.Values = &one, several
		}
	}
	return rows
}

// write leaves the rows in dir as hits.json.
func (h *hits) write(dir string, names []string) error {
	text, err := json.MarshalIndent(struct {
		From      string    `json:"from"` // exclusive
		To        string    `json:"to"`   // inclusive
		Property  *string   `json:"property"`
		Campaigns []*hitRow `json:"campaigns"`
	}{
		campaign.FormatTime(h.last - int64(h.days)*24*3600*1000), campaign.FormatTime(h.last), given(h.property),
		h.rows(names),
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

func namesOf(summaries []*simulate.Summary) []string {
	names := make([]string, 0, len(summaries))
	for _, s := range summaries {
		names = append(names, s.Campaign)
	}
	return names
}

// print shows the rows as a table.
func (h *hits) print(out console, names []string) error {
	fmt.Fprintf(out.out, "\nhits of the last %d days, to %s:\n", h.days, campaign.FormatTime(h.last))
	w := tabwriter.NewWriter(out.out, 0, 0, 2, ' ', 0)
	head := []string{"campaign", "customers", "hits", "entered"}
	if h.property != "" {
		head = append(head, "sum of "+h.property)
	}
	fmt.Fprintln(w, strings.Join(head, "\t"))
	for _, row := range h.rows(names) {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d", row.Campaign, row.Customers, row.Hits, row.Entered)
		if h.property != "" {
			fmt.Fprintf(w, "\t%s", &row.purse)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}
