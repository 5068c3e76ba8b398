package campaign

import (
	"bytes"
	"sort"
	"time"

	"github.com/google/cel-go/common/types/ref"
	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/internal/wire"
)

// The events that change what a customer agreed to, and the traits that do.
const (
	eventConsent     = "Consent Changed" // {category or channel, granted, source}
	eventUnsubscribe = "Unsubscribed"    // {category or channel}; neither: marketing
	eventDisturb     = "Do Not Disturb"  // {enabled, channel}; without a channel: all
	traitConsent     = "consent"         // {category: granted}
	traitPreferences = "preferences"     // {channel: granted}
)

// Subject is what a consent is about.
type Subject uint8

// The subjects. Their numbers are part of the stored format.
const (
	AboutCategory    Subject = iota + 1 // consent to a category
	AboutChannel                        // a channel preference
	AboutDisturbance                    // do not disturb: on a channel, or (empty name) at all
)

// maxConsents bounds what is remembered of one customer's consents.
const maxConsents = 64

// maxConsentSource bounds a Consent's Source, bytes.
const maxConsentSource = 100

// Consent is what a customer said about a category or a channel.
type Consent struct {
	Subject Subject
	Name    string // of the category or channel
	Granted bool
	At      int64  // event time, ms
	Source  string // who or what says so, at most 100 bytes
}

// consent is what is known about a subject, nil when nothing is.
func (c *Customer) consent(subject Subject, name string) *Consent {
	i := c.consentIndex(subject, name)
	if i < len(c.Consents) && c.Consents[i].Subject == subject && c.Consents[i].Name == name {
		return &c.Consents[i]
	}
	return nil
}

func (c *Customer) consentIndex(subject Subject, name string) int {
	return sort.Search(len(c.Consents), func(i int) bool {
		x := &c.Consents[i]
		return x.Subject > subject || x.Subject == subject && x.Name >= name
	})
}

// refused says whether the customer said no.
func (c *Customer) refused(subject Subject, name string) bool {
	x := c.consent(subject, name)
	return x != nil && !x.Granted
}

// undisturbed says whether the customer must not be disturbed on a channel.
func (c *Customer) undisturbed(channel string) bool {
	return c.refused(AboutDisturbance, "") || c.refused(AboutDisturbance, channel)
}

// consented says whether the customer agrees to a category: if they did not refuse,
// or, where the workspace requires it, if they granted it.
func (m *Machine) consented(category string) bool {
	x := m.c.consent(AboutCategory, category)
	if x == nil {
		return !m.set.rules.required[category]
	}
	return x.Granted
}

// consents takes up what the record in hand says about consent.
func (m *Machine) consents(e *Event) {
	switch {
	case e.Type == Identify:
		if bytes.Contains(e.Traits, []byte(traitConsent)) || bytes.Contains(e.Traits, []byte(traitPreferences)) {
			m.consentTraits(e)
		}
	case e.Type != Track:
	case e.Name == eventConsent:
		m.consentEvent(e, m.yes("granted", false))
	case e.Name == eventUnsubscribe:
		m.consentEvent(e, false)
	case e.Name == eventDisturb:
		enabled := m.scope.event.props.get("enabled") == nil || m.yes("enabled", true)
		channels, bad := m.names("channel")
		if len(channels) == 0 && (enabled || !bad) {
			channels = []string{""} // all
		}
		for _, channel := range channels {
			m.setConsent(m.consentOf(e, AboutDisturbance, channel, !enabled))
		}
	}
}

// yes reads a property that says yes or no; what says neither is recorded and counts as
// otherwise.
func (m *Machine) yes(property string, otherwise bool) bool {
	yes, ok := YesOrNo(m.scope.event.props.get(property))
	if !ok {
		m.badConsent(property)
		return otherwise
	}
	return yes
}

// badConsent records what cannot be read, or kept.
func (m *Machine) badConsent(name string) {
	m.decide(Decision{Kind: Erred, Reason: ReasonConsent, Detail: clip(name, 100)})
}

// names are what a property names: a text, or a list of texts. bad says that it is there
// and names nothing; that is recorded.
func (m *Machine) names(property string) (names []string, bad bool) {
	v := m.scope.event.props.get(property)
	if v == nil || v.Type() == fastjson.TypeNull {
		return nil, false
	}
	items := []*fastjson.Value{v}
	if v.Type() == fastjson.TypeArray {
		items = v.GetArray()
	}
	for _, item := range items[:min(len(items), maxConsents)] {
		if name, ok := scalarText(item); ok && name != "" {
			names = append(names, name)
		}
	}
	if bad = len(names) == 0 && (v.Type() != fastjson.TypeString || len(v.GetStringBytes()) > 0); bad {
		m.badConsent(property)
	}
	return names, bad
}

func (m *Machine) consentEvent(e *Event, granted bool) {
	channels, badChannel := m.names("channel")
	categories, badCategory := m.names("category")
	if len(channels)+len(categories) == 0 && (!granted || !badChannel && !badCategory) {
		categories = []string{Marketing} // what is agreed to must be named, or left out
	}
	for _, channel := range channels {
		m.setConsent(m.consentOf(e, AboutChannel, channel, granted))
	}
	for _, category := range categories {
		m.setConsent(m.consentOf(e, AboutCategory, category, granted))
	}
}

// property is a text of the record's properties, empty when there is none.
func (m *Machine) property(name string) string {
	v := m.scope.event.props.get(name)
	if v == nil {
		return ""
	}
	return string(v.GetStringBytes())
}

func (m *Machine) consentOf(e *Event, subject Subject, name string, granted bool) Consent {
	source := m.property("source")
	if source == "" {
		source = e.Name
	}
	return Consent{
		Subject: subject, Name: name, Granted: granted, At: e.Time, Source: clip(m.said(source), maxConsentSource),
	}
}

// consentTraits takes up the traits consent and preferences: an object from the name
// to yes or no (see YesOrNo), or {granted, at, source}. null forgets what was said; what
// says neither yes nor no is no agreement, and is recorded.
func (m *Machine) consentTraits(e *Event) {
	var traits lazyJSON
	traits.reset(e.Traits)
	for _, about := range [...]struct {
		trait   string
		subject Subject
	}{{traitConsent, AboutCategory}, {traitPreferences, AboutChannel}} {
		v := traits.get(about.trait)
		if v == nil || v.Type() == fastjson.TypeNull {
			continue
		}
		if v.Type() != fastjson.TypeObject {
			m.wholeConsent(e, about.trait, about.subject, v)
			continue
		}
		o := v.GetObject()
		for _, name := range sortedKeys(o) {
			m.consentTrait(e, about.subject, name, o.Get(name))
		}
	}
}

// wholeConsent takes up a trait that should name categories or channels and names none: as
// consent it can only refuse, and that is recorded.
func (m *Machine) wholeConsent(e *Event, trait string, subject Subject, v *fastjson.Value) {
	m.badConsent(trait)
	if yes, _ := YesOrNo(v); subject == AboutCategory && !yes {
		m.setConsent(Consent{
			Subject: subject, Name: Marketing, At: e.Time, Source: clip(m.said(e.Name), maxConsentSource),
		})
	}
}

func (m *Machine) consentTrait(e *Event, subject Subject, name string, v *fastjson.Value) {
	x := Consent{Subject: subject, Name: name, At: e.Time, Source: m.said(e.Name)}
	switch {
	case v.Type() == fastjson.TypeNull:
		if old := m.c.consent(subject, name); old != nil && old.At <= e.Time {
			i := m.c.consentIndex(subject, name)
			m.c.Consents = append(m.c.Consents[:i], m.c.Consents[i+1:]...)
		}
		return
	case v.Type() == fastjson.TypeObject:
		var ok bool
		if x.Granted, ok = YesOrNo(v.Get("granted")); !ok {
			m.badConsent(name)
		}
		if at, err := time.Parse(time.RFC3339Nano, string(v.GetStringBytes("at"))); err == nil {
			x.At = min(at.UnixMilli(), e.Time)
		}
		if source := v.GetStringBytes("source"); len(source) > 0 {
			x.Source = m.said(string(source))
		}
	default:
		var ok bool
		if x.Granted, ok = YesOrNo(v); !ok {
			m.badConsent(name)
		}
	}
	x.Source = clip(x.Source, maxConsentSource)
	m.setConsent(x)
}

// setConsent remembers a consent. One that happened before what is known, and only
// came later, changes nothing. When there is no room, an agreement is forgotten
// before a refusal.
func (m *Machine) setConsent(x Consent) {
	x.Name = clip(x.Name, 64)
	if old := m.c.consent(x.Subject, x.Name); old != nil {
		if old.At <= x.At {
			*old = x
		}
		return
	}
	if len(m.c.Consents) >= maxConsents {
		i := 0
		for i < len(m.c.Consents) && !m.c.Consents[i].Granted {
			i++
		}
		if x.Granted || i == len(m.c.Consents) {
			m.badConsent(x.Name)
			return
		}
		m.c.Consents = append(m.c.Consents[:i], m.c.Consents[i+1:]...)
	}
	i := m.c.consentIndex(x.Subject, x.Name)
	m.c.Consents = append(m.c.Consents, Consent{})
	copy(m.c.Consents[i+1:], m.c.Consents[i:])
	m.c.Consents[i] = x
}

// consentView shows the consents of one kind to CEL: a map from the name to
// {granted, at, source}, sorted.
func (c *Customer) consentView(subject Subject) ref.Val {
	b := []byte{'{'}
	for i := range c.Consents {
		x := &c.Consents[i]
		if x.Subject != subject {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(AppendJSONString(b, x.Name), `:{"at":`...)
		b = append(AppendJSONString(b, FormatTime(x.At)), `,"granted":`...)
		if x.Granted {
			b = append(b, "true"...)
		} else {
			b = append(b, "false"...)
		}
		b = append(AppendJSONString(append(b, `,"source":`...), x.Source), '}')
	}
	var view lazyJSON
	view.reset(append(b, '}'))
	return jsonMap{o: view.object()}
}

//nudge:constant read only
var consentSection = section[*Customer]{
	tag: 10,
	has: func(c *Customer) bool { return len(c.Consents) > 0 },
	append: func(c *Customer, b []byte) []byte {
		b = wire.AppendUint(b, uint64(len(c.Consents)))
		for i := range c.Consents {
			x := &c.Consents[i]
			b = wire.AppendString(append(b, byte(x.Subject)), x.Name)
			b = wire.AppendInt(wire.AppendBool(b, x.Granted), x.At)
			b = wire.AppendString(b, x.Source)
		}
		return b
	},
	decode: func(c *Customer, d *wire.Decoder, names Names) {
		for range d.Count(5) {
			c.Consents = append(c.Consents, Consent{
				Subject: Subject(d.Byte()), Name: names.of(d.Bytes()), Granted: d.Bool(), At: d.Int(),
				Source: names.of(d.Bytes()),
			})
		}
	},
}
