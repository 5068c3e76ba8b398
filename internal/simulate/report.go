package simulate

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/message"
)

// Report is a Sink that writes the outcome of a simulation as files: deliveries.ndjson,
// decisions.ndjson, chains.ndjson and summary.json. The first two are written as the
// simulation goes on, the others by Close. It belongs to one goroutine.
type Report struct {
	dir string
	// files are the files to close.
	files      []*os.File
	deliveries *bufio.Writer
	decisions  *bufio.Writer
	messages   *message.Renderer
	// fields has the texts of each send step, by campaign/step.
	fields map[string][]program.Field
	// chains has the last row of each chain, in the order in which the chains were entered.
	chains []*output.ChainRow
	// index is the place of each chain in chains.
	index map[chainKey]int
	// summary is by campaign.
	summary map[string]*Summary
	// primary is the primary goal of a campaign, where it names one.
	primary map[string]string
	// texts has the messages that Reach made and Delivery will write.
	texts map[output.ID]made
	// moved has the places in chains of chains that went on under another customer.
	moved map[movedKey][]int
}

// made is the message of a delivery that was handed off, or why it could not be rendered.
type made struct {
	fields []program.Field
	err    error
}

// movedKey is what a chain keeps when its customer merges into another one.
type movedKey struct {
	campaign, key string
	enteredAt     int64
}

// chainKey identifies a chain.
type chainKey struct {
	campaign, customer string
	entry              uint32
}

// Summary has the figures of one campaign.
type Summary struct {
	Campaign string `json:"campaign"`
	// Entered is the number of chains that started.
	Entered int `json:"entered"`
	// Refused counts the entries that were refused, by reason.
	Refused map[string]int `json:"refused"`
	// Sent counts the deliveries that were handed off, by step.
	Sent map[string]int `json:"sent"`
	// Dropped counts the deliveries that were not handed off, by reason.
	Dropped map[string]int `json:"-"`
	// Goals counts conversions by goal, reversals subtracted.
	Goals map[string]int `json:"goals"`
	// Converted is the number of chains with a goal that counts; see measures.
	Converted int `json:"converted"`
	// Conversion is Converted / Entered, 0 where none entered.
	Conversion float64 `json:"conversion"`
	// Revenue is null where there are several currencies; Revenues then has the sums by
	// currency.
	Revenue  Revenue  `json:"revenue"`
	Revenues Revenues `json:"revenues,omitempty"` // by currency, where there are several
	// Lift is nil where the campaign has no holdout.
	Lift  *Lift `json:"lift"`
	purse Purse
}

// NewReport creates dir and the files in it. docs are the definitions that are simulated.
func NewReport(dir string, docs []parse.Parsed) (*Report, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	r := &Report{
		dir: dir, messages: message.NewRenderer(), fields: map[string][]program.Field{},
		index: map[chainKey]int{}, summary: map[string]*Summary{}, primary: map[string]string{},
		texts: map[output.ID]made{}, moved: map[movedKey][]int{},
	}
	// Texts are collected by step, because a delivery names its step only.
	templates := map[string][]program.Field{}
	for _, d := range docs {
		if d.Template != nil {
			templates[d.Template.Name] = d.Template.Fields
		}
	}
	for _, d := range docs {
		if d.Campaign == nil {
			continue
		}
		if s := r.of(d.Campaign.Name); d.Campaign.Policy.Holdout != nil {
			s.Lift = new(Lift)
		}
		for _, g := range d.Campaign.Goals {
			if g.Primary {
				r.primary[d.Campaign.Name] = g.ID
			}
		}
		d.Campaign.Sends(func(step string, s *program.Send) {
			fields := s.Message.Fields
			if s.Message.Template != "" {
				fields = templates[s.Message.Template]
			}
			r.fields[d.Campaign.Name+"/"+step] = fields
		})
	}
	var err error
	if r.deliveries, err = r.create("deliveries.ndjson"); err != nil {
		return nil, err
	}
	r.decisions, err = r.create("decisions.ndjson")
	return r, err
}

// create creates a file of the report, which Close flushes and closes.
func (r *Report) create(name string) (*bufio.Writer, error) {
	f, err := os.Create(filepath.Join(r.dir, name))
	if err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	r.files = append(r.files, f)
	return bufio.NewWriterSize(f, 1<<16), nil
}

// of returns the summary of a campaign, which it makes where there is none.
func (r *Report) of(name string) *Summary {
	s := r.summary[name]
	if s == nil {
		s = &Summary{
			Campaign: name, Refused: map[string]int{}, Sent: map[string]int{}, Dropped: map[string]int{},
			Goals: map[string]int{},
		}
		r.summary[name] = s
	}
	return s
}

// optional is a text that is null in JSON where it is empty.
type optional string

// MarshalJSON implements json.Marshaler.
func (o optional) MarshalJSON() ([]byte, error) {
	if o == "" {
		return []byte("null"), nil
	}
	return plain(string(o))
}

// plain returns a text as JSON, without escaping for HTML.
func plain(text string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(text)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// ordered has the texts of a message. In JSON it is an object with the members in the order
// in which the definition has them; null where there are none.
type ordered []program.Field

// MarshalJSON implements json.Marshaler.
func (o ordered) MarshalJSON() ([]byte, error) {
	if len(o) == 0 {
		return []byte("null"), nil
	}
	b := []byte{'{'}
	for i, f := range o {
		if i > 0 {
			b = append(b, ',')
		}
		name, err := plain(f.Name)
		if err != nil {
			return nil, err
		}
		text, err := plain(f.Source)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, name...), ':'), text...)
	}
	return append(b, '}'), nil
}

// line writes one JSON object and a newline.
func line(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// Reach renders the message of a delivery and keeps it for Delivery. It is given to
// Config.Reach: a message that cannot be rendered does not arrive, as in production.
func (r *Report) Reach(d *output.Delivery) error {
	m := r.make(d)
	r.texts[d.ID] = m
	return m.err
}

// make renders the message of a delivery.
func (r *Report) make(d *output.Delivery) made {
	fields, err := r.messages.Render(r.fields[d.Campaign+"/"+d.Step], d.Values, d.At)
	return made{fields, err}
}

// Delivery implements Sink. It writes only the statuses that the report documents, and
// counts a delivery whose message could not be rendered as dropped.
func (r *Report) Delivery(d *output.Delivery) error {
	status, reason := d.Status, d.Reason
	var fields []program.Field
	switch d.Status {
	case output.HandedOff:
		// A delivery that Reach did not see is rendered here.
		m, known := r.texts[d.ID]
		if delete(r.texts, d.ID); !known {
			m = r.make(d)
		}
		if fields = m.fields; m.err != nil {
			status, reason = output.StatusDropped, message.ReasonOf(m.err)
		} else {
			r.of(d.Campaign).Sent[d.Step]++
		}
	// A ghost has the text that would have been sent.
	case output.StatusGhost:
		fields = r.make(d).fields
	case output.StatusDropped:
		r.of(d.Campaign).Dropped[string(d.Reason)]++
	case output.StatusDefer:
	// Later states of a delivery, such as sent, are not part of the report.
	default:
		return nil
	}
	return line(r.deliveries, struct {
		At         string   `json:"at"`
		Due        string   `json:"due"`
		Campaign   string   `json:"campaign"`
		Version    uint32   `json:"version"`
		Customer   string   `json:"customer"`
		Key        optional `json:"key"`
		Entry      uint32   `json:"entry"`
		Step       string   `json:"step"`
		Channel    string   `json:"channel"`
		Variant    optional `json:"variant"`
		Status     string   `json:"status"`
		Reason     optional `json:"reason"`
		TriggerID  optional `json:"trigger_id"`
		DeliveryID string   `json:"delivery_id"`
		Message    ordered  `json:"message"`
	}{
		unit.FormatTime(d.At), unit.FormatTime(d.Due), d.Campaign, d.Version, d.Customer,
		optional(d.Key), d.Entry,
		d.Step, d.Channel, optional(d.Variant), string(status), optional(reason), optional(d.TriggerID),
		d.ID.String(), fields,
	})
}

// Decision implements Sink.
func (r *Report) Decision(d *output.Decision) error {
	switch {
	case d.Campaign == "": // of a customer, not of a campaign
	case d.Kind == output.Entered:
		r.of(d.Campaign).Entered++
	case d.Kind == output.Refused:
		r.of(d.Campaign).Refused[string(d.Reason)]++
	}
	return line(r.decisions, struct {
		At        string   `json:"at"`
		Workspace string   `json:"workspace"`
		Campaign  optional `json:"campaign"`
		Version   uint32   `json:"version"`
		Customer  optional `json:"customer"`
		ChainKey  optional `json:"chain_key"`
		Entry     uint32   `json:"entry"`
		Step      optional `json:"step"`
		Kind      string   `json:"kind"`
		Reason    optional `json:"reason"`
		Detail    optional `json:"detail"`
		EventID   optional `json:"event_id"`
	}{
		unit.FormatTime(d.At), d.Workspace, optional(d.Campaign), d.Version, optional(d.Customer),
		optional(d.Key), d.Entry, optional(d.Step), string(d.Kind), optional(d.Reason), optional(d.Detail),
		optional(d.EventID),
	})
}

// Chain implements Sink. Of each chain the last row is kept, at the place of its entry. A
// chain that goes on under another customer after a merge keeps its place.
func (r *Report) Chain(c *output.ChainRow) error {
	key := chainKey{c.Campaign, c.Customer, c.Entry}
	row := *c
	moves := movedKey{c.Campaign, c.Key, c.EnteredAt}
	i, known := r.index[key]
	if gone := r.moved[moves]; !known && len(gone) > 0 { // it takes the place that it had
		i, known = gone[0], true
		r.moved[moves], r.index[key] = gone[1:], i
	}
	if known {
		r.chains[i] = &row
		if c.Outcome == output.Moved {
			r.moved[moves] = append(r.moved[moves], i)
		}
		return nil
	}
	r.index[key] = len(r.chains)
	r.chains = append(r.chains, &row)
	return nil
}

// measures reports whether a goal counts for a campaign's conversion and revenue: only the
// primary goal where the campaign names one, otherwise every goal.
func (r *Report) measures(name, goal string) bool {
	primary := r.primary[name]
	return primary == "" || primary == goal
}

// Goal implements Sink. The value of a reversal is negative.
func (r *Report) Goal(g *output.GoalRow) error {
	s := r.of(g.Campaign)
	if g.Reversal {
		s.Goals[g.Goal]--
	} else {
		s.Goals[g.Goal]++
	}
	if r.measures(g.Campaign, g.Goal) {
		s.purse.Add(g.Currency, g.Value)
	}
	return nil
}

// Close writes chains.ndjson and summary.json, closes all files, and returns the summaries
// sorted by campaign. The report must not be used afterwards.
func (r *Report) Close() ([]*Summary, error) {
	chains, err := r.create("chains.ndjson")
	if err != nil {
		return nil, err
	}
	for _, c := range r.chains {
		if err := r.chain(chains, c); err != nil {
			return nil, err
		}
	}
	// The figures by campaign are final only when all chains are known.
	r.lifts()
	summaries := make([]*Summary, 0, len(r.summary))
	for _, s := range r.summary {
		if s.Entered > 0 {
			s.Conversion = float64(s.Converted) / float64(s.Entered)
		}
		s.Revenue, s.Revenues = s.purse.Figures()
		summaries = append(summaries, s)
	}
	sort.Slice(summaries, func(i, j int) bool { return summaries[i].Campaign < summaries[j].Campaign })
	summary, err := r.create("summary.json")
	if err != nil {
		return nil, err
	}
	e := json.NewEncoder(summary)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	// All files are flushed and closed, also after an error.
	errs := []error{e.Encode(struct {
		Campaigns []*Summary `json:"campaigns"`
	}{summaries})}
	for _, w := range []*bufio.Writer{r.deliveries, r.decisions, chains, summary} {
		errs = append(errs, w.Flush())
	}
	for _, f := range r.files {
		errs = append(errs, f.Close())
	}
	return summaries, errors.Join(errs...)
}

// chain writes one line of chains.ndjson and counts the chain as converted where a goal
// that counts was reached. The value is a JSON number with the exact decimal of the amount.
func (r *Report) chain(w io.Writer, c *output.ChainRow) error {
	var value any
	if c.Goal != "" && r.measures(c.Campaign, c.Goal) {
		r.of(c.Campaign).Converted++
	}
	// Merges are no part of the report's contract, so their outcome is shown as another
	// one.
	outcome := c.Outcome
	if outcome == output.Moved { // it did not go on: another chain of its key did
		outcome = output.Stopped
	}
	if c.HasValue {
		value = json.Number(c.Value.String())
	}
	return line(w, struct {
		Campaign  string   `json:"campaign"`
		Customer  string   `json:"customer"`
		Key       optional `json:"key"`
		Entry     uint32   `json:"entry"`
		EnteredAt string   `json:"entered_at"`
		EndedAt   optional `json:"ended_at"`
		Outcome   string   `json:"outcome"`
		Goal      optional `json:"goal"`
		Value     any      `json:"value"`
		Variants  any      `json:"variants"` // a raw message, null when nil
		HeldOut   bool     `json:"held_out"`
		Currency  string   `json:"currency,omitempty"` // of the value, where the goal says one
	}{
		c.Campaign, c.Customer, optional(c.Key), c.Entry, unit.FormatTime(c.EnteredAt),
		optional(unit.FormatTime(c.EndedAt)), string(outcome), optional(c.Goal), value,
		json.RawMessage(output.VariantsJSON(c.Variants)), c.HeldOut, c.Currency,
	})
}
