package audit

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// What a comparison can read a value of (Comparison.Subject).
const (
	SubjectEvent    = "event"
	SubjectTrigger  = "trigger"
	SubjectCustomer = "customer"
)

// Pred is a conjunction of comparisons. A missing value makes it false.
type Pred struct{ All []Comparison }

// Comparison compares one value with Value by Op. Which value it is, the first of Tag, Count, Zone, Text,
// Last and Past that is given says; where none is, it is the member at Path of the Subject.
type Comparison struct {
	Subject string // whose property, trait (of the customer) or member (of a reply) is meant
	Path    string

	Tag    string        // whether the customer has this tag; nothing is compared
	Count  string        // how many events of this name the customer had
	Sum    string        // with Count: the sum of this property over them; a dot leads inside
	Zone   bool          // the customer's time zone
	Text   bool          // the property at Path as string() writes it
	Last   string        // the time since the customer's last event of this name, compared with Window
	Past   bool          // now, compared with the instant of the trait at Path
	Window time.Duration // with Count: only events so long before now; 0: all

	Op    string // ==, !=, >= or <
	Value any    // a string or a float64
}

// P returns the predicate of the given comparisons.
func P(all ...Comparison) *Pred { return &Pred{All: all} }

// CEL renders the predicate in CEL, the language of expressions.
func (p *Pred) CEL() string {
	parts := make([]string, 0, len(p.All))
	for _, c := range p.All {
		parts = append(parts, c.cel())
	}
	return strings.Join(parts, " && ")
}

// text is CEL, and empty for no predicate. It tells predicates apart.
func (p *Pred) text() string {
	if p == nil {
		return ""
	}
	return p.CEL()
}

func (c Comparison) cel() string {
	if c.Tag != "" {
		return "customer.tagged(" + quote(c.Tag) + ")"
	}
	switch {
	case c.Zone:
		return "customer.timezone " + c.Op + " " + literal(c.Value, false)
	case c.Text:
		return "string(" + member(c.Subject+".properties", c.Path) + ") " + c.Op + " " + literal(c.Value, false)
	case c.Last != "":
		return "now - customer.last(" + quote(c.Last) + ") " + c.Op + " duration(" + quote(seconds(c.Window)) + ")"
	case c.Past:
		return "now " + c.Op + " timestamp(" + member("customer.traits", c.Path) + ")"
	}
	if c.Sum != "" {
		return c.value() + " " + c.Op + " " + literal(c.Value, false)
	}
	if c.Count != "" {
		return c.value() + " " + c.Op + " " + literal(c.Value, true)
	}
	root := c.Subject + ".properties"
	switch c.Subject {
	case SubjectCustomer:
		root = "customer.traits"
	case SubjectReply:
		root = "chain.reply"
	}
	return member(root, c.Path) + " " + c.Op + " " + literal(c.Value, false)
}

// value returns the CEL of the count or sum that a comparison looks at.
func (c Comparison) value() string {
	window := ""
	if c.Window != 0 {
		window = ", " + quote(Duration(c.Window))
	}
	if c.Sum != "" {
		return "customer.sum(" + quote(c.Count) + ", " + quote(c.Sum) + window + ")"
	}
	return "customer.count(" + quote(c.Count) + window + ")"
}

// literal writes a double with a point, because CEL has no `dyn >= int` for every pair, and a count
// without one, because counts are integers.
func literal(v any, whole bool) string {
	number, ok := v.(float64)
	if !ok {
		text, _ := v.(string)
		return quote(text)
	}
	s := strconv.FormatFloat(number, 'f', -1, 64)
	if !whole && !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// member returns root.name, or root["name"] where the name is no identifier.
func member(root, name string) string {
	for i, r := range name {
		letter := r == '_' || (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z')
		if !letter && (i == 0 || r < '0' || r > '9') {
			return root + "[" + quote(name) + "]"
		}
	}
	return root + "." + name
}

// quote returns a JSON string, which is a CEL string and a YAML scalar as well.
func quote(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // >= stays readable
	if err := enc.Encode(s); err != nil {
		panic("BUG: a string that is no JSON: " + err.Error())
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// seconds writes a duration as CEL takes it.
func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) + "s" }
