package explain

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// JSON writes the explanation as indented JSON. Expressions are not escaped for HTML, so
// that < and > stay readable.
func (x *Explanation) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(x)
}

// Text writes the explanation for people: for each occasion a line with its time and what
// happened, below it the campaign or chain, and below that the rules that were evaluated,
// for example
//
//	2026-03-01T10:00:00Z  event Cart Updated (e-17)
//	  cart-reminder, entry 2
//	    NO   audience          customer.traits.plan == "pro" [customer.traits.plan = "free"]
//
// It writes once, so that an error leaves no half of it.
func (x *Explanation) Text(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "customer %s", x.Customer)
	if x.Campaign != "" {
		fmt.Fprintf(&b, ", campaign %s", x.Campaign)
	}
	b.WriteByte('\n')
	switch {
	// Only the present state is explained.
	case x.Until == "":
	// The log still has everything since the customer's first record.
	case x.Reach == "":
		fmt.Fprintf(&b, "the whole history, until %s\n", x.Until)
	default:
		fmt.Fprintf(&b, "history from %s until %s; what came before is no longer in the log\n", x.Reach, x.Until)
	}
	if x.From+x.To != "" {
		fmt.Fprintf(&b, "shown from %s to %s\n", cmp.Or(x.From, "the beginning"), cmp.Or(x.To, "the end"))
	}
	if len(x.Occasions) == 0 {
		b.WriteString("\nno record or timer of this customer asked a rule\n")
	}
	for i := range x.Occasions {
		x.Occasions[i].text(&b)
	}
	if x.Left > 0 {
		fmt.Fprintf(&b, "\n%d more rows are left out; name a campaign\n", x.Left)
	}
	if len(x.Decisions) > 0 {
		b.WriteString("\nlast decisions, newest first\n")
		for i := range x.Decisions {
			d := &x.Decisions[i]
			fmt.Fprintf(&b, "  %s  %s  %s\n", d.At, named(d.Campaign, d.Entry, d.Key), d.text(d.Step))
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// text writes an occasion. A heading is repeated only where the campaign or chain changes.
func (o *Occasion) text(b *bytes.Buffer) {
	fmt.Fprintf(b, "\n%s  %s", o.At, o.What)
	if o.Name != "" {
		b.WriteString(" " + o.Name)
	}
	if o.ID != "" {
		fmt.Fprintf(b, " (%s)", o.ID)
	}
	// Times are shown only where they differ from that of the occasion.
	if o.Time != "" && o.Time != o.At {
		fmt.Fprintf(b, ", happened %s", o.Time)
	}
	if o.Due != "" && o.Due != o.At {
		fmt.Fprintf(b, ", due %s", o.Due)
	}
	b.WriteByte('\n')
	// last is the heading that was written last.
	last := ""
	for i := range o.Asked {
		r := &o.Asked[i]
		key := r.Key
		if r.Entry == 0 {
			key = "" // the rule of the key has shown it
		}
		if name := named(r.Campaign, r.Entry, key); name != last {
			fmt.Fprintf(b, "  %s\n", name)
			last = name
		}
		r.text(b)
	}
}

// named returns the heading of rows about a campaign, or about one chain of it.
func named(campaign string, entry uint32, key string) string {
	if campaign == "" {
		return "(no campaign)"
	}
	if entry > 0 {
		campaign += fmt.Sprintf(", entry %d", entry)
	}
	if key != "" {
		campaign += ", key " + key
	}
	return campaign
}

// text writes one rule with its answer, its expression and the values that it compared, or
// one decision. Answers of "no" are in capitals: they are what the reader looks for.
// Conditions that do not hold follow on lines of their own.
func (r *Row) text(b *bytes.Buffer) {
	if r.Decision != nil {
		fmt.Fprintf(b, "    => %s\n", r.Decision.text(r.Step))
		return
	}
	// The answers are equally wide, so that the rules below each other line up.
	answer := map[string]string{"yes": "yes", "no": "NO ", "note": " - "}[r.Answer]
	var parts []string
	// What the rule is about comes first: step and channel, which of several, the
	// expression.
	if at := strings.Trim(r.Step+"/"+r.Channel, "/"); at != "" {
		parts = append(parts, at)
	}
	if r.About != "" {
		parts = append(parts, r.About)
	}
	if r.Source != "" {
		parts = append(parts, r.Source)
	}
	line := strings.Join(parts, ": ")
	var values []string
	for _, v := range r.Values {
		if string(v.Value) == "null" {
			values = append(values, v.Name+" is missing")
			continue
		}
		values = append(values, v.Name+" = "+string(v.Value))
	}
	if len(values) > 0 {
		line = strings.TrimPrefix(line+" ["+strings.Join(values, ", ")+"]", " ")
	}
	fmt.Fprintln(b, strings.TrimRight(fmt.Sprintf("    %s  %-18s%s", answer, r.Rule, line), " "))
	for _, part := range r.Unmet {
		fmt.Fprintf(b, "        does not hold: %s\n", part)
	}
}

// text returns a decision as one line: kind, reason, step and detail.
func (d *Decision) text(step string) string {
	line := d.Kind
	if d.Reason != "" {
		line += ": " + d.Reason
	}
	if step != "" {
		line += ", step " + step
	}
	if d.Detail != "" {
		line += " (" + d.Detail + ")"
	}
	return line
}
