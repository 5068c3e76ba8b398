package machine

import (
	"bytes"
	"cmp"
	"time"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/internal/clip"
)

// The events that change what a customer agreed to, and the traits that do.
const (
	// Properties are in braces. A channel or category is a text or a list of texts.
	eventConsent     = "Consent Changed" // {category or channel, granted, source}
	eventUnsubscribe = "Unsubscribed"    // {category or channel}; neither: marketing
	eventDisturb     = "Do Not Disturb"  // {enabled, channel}; without a channel: all
	traitConsent     = "consent"         // {category: granted}
	traitPreferences = "preferences"     // {channel: granted}
)

// maxConsents bounds the consents that are kept of one customer, and the names taken from one
// property: one for each category, channel and do-not-disturb that the company uses.
const maxConsents = 64

// maxConsentSource bounds a Consent's Source, in bytes; longer ones are cut.
const maxConsentSource = 100

// consents takes up what the current record says about consent: the traits of an identify call, or
// one of the reserved events. The search for the bare names spares most identify calls the parsing.
//
// What cannot be read is resolved towards fewer messages: an unclear "granted" refuses, an unclear
// "enabled" disturbs nobody.
func (pf *profile) consents(e *event.Event) {
	switch {
	case e.Type == event.Identify:
		if bytes.Contains(e.Traits, []byte(traitConsent)) || bytes.Contains(e.Traits, []byte(traitPreferences)) {
			pf.consentTraits(e)
		}
	case e.Type != event.Track:
	case e.Name == eventConsent:
		pf.consentEvent(e, pf.yes("granted", false))
	case e.Name == eventUnsubscribe:
		pf.consentEvent(e, false)
	case e.Name == eventDisturb:
		// Without the property the event itself says so.
		enabled := pf.scope.Event.Props.Get("enabled") == nil || pf.yes("enabled", true)
		channels, bad := pf.names("channel")
		if len(channels) == 0 && (enabled || !bad) {
			channels = []string{""} // all
		}
		for _, channel := range channels {
			pf.setConsent(pf.consentOf(e, customer.AboutDisturbance, channel, !enabled))
		}
	}
}

// yes reads a property as yes or no. A value that is neither is recorded as a fault and counts as
// otherwise.
func (pf *profile) yes(property string, otherwise bool) bool {
	yes, ok := jsonvalue.YesOrNo(pf.scope.Event.Props.Get(property))
	if !ok {
		pf.badConsent(property)
		return otherwise
	}
	return yes
}

// badConsent records that the consent of a name cannot be read, or that there is no room for it.
func (pf *profile) badConsent(name string) {
	pf.out.decide(output.Decision{Kind: output.Erred, Reason: output.ReasonConsent, Detail: clip.Text(name, 100)})
}

// names returns what a property names: a text, or a list of texts. bad reports that the property is
// there and names nothing; that is recorded. An empty text counts as a property that is not there.
func (pf *profile) names(property string) (names []string, bad bool) {
	v := pf.scope.Event.Props.Get(property)
	if v == nil || v.Type() == fastjson.TypeNull {
		return nil, false
	}
	items := []*fastjson.Value{v}
	if v.Type() == fastjson.TypeArray {
		items = v.GetArray()
	}
	// No more consents than that are kept anyway.
	for _, item := range items[:min(len(items), maxConsents)] {
		if name, ok := jsonvalue.Text(item); ok && name != "" {
			names = append(names, name)
		}
	}
	if bad = len(names) == 0 && (v.Type() != fastjson.TypeString || len(v.GetStringBytes()) > 0); bad {
		pf.badConsent(property)
	}
	return names, bad
}

// consentEvent takes up an event that grants or refuses channels and categories. One that names
// neither concerns marketing; an agreement whose names cannot be read grants nothing.
func (pf *profile) consentEvent(e *event.Event, granted bool) {
	channels, badChannel := pf.names("channel")
	categories, badCategory := pf.names("category")
	if len(channels)+len(categories) == 0 && (!granted || !badChannel && !badCategory) {
		categories = []string{program.Marketing} // what is agreed to must be named, or left out
	}
	for _, channel := range channels {
		pf.setConsent(pf.consentOf(e, customer.AboutChannel, channel, granted))
	}
	for _, category := range categories {
		pf.setConsent(pf.consentOf(e, customer.AboutCategory, category, granted))
	}
}

// property returns a text among the record's properties, empty when it is missing or no text.
func (pf *profile) property(name string) string {
	v := pf.scope.Event.Props.Get(name)
	if v == nil {
		return ""
	}
	return string(v.GetStringBytes())
}

// consentOf returns the consent that an event states about a subject of a name. Its source is the
// property source, or else the name of the event.
func (pf *profile) consentOf(e *event.Event, subject customer.Subject, name string, granted bool) customer.Consent {
	source := pf.property("source")
	if source == "" {
		source = e.Name
	}
	return customer.Consent{
		Subject: subject,
		Name:    name,
		Granted: granted,
		At:      e.Time,
		Source:  clip.Text(pf.consentSource(source), maxConsentSource),
	}
}

// consentTraits takes up the traits consent and preferences: an object from the name
// to yes or no (see YesOrNo), or to {granted, at, source}. null forgets what was said; a value that is
// neither yes nor no refuses, and is recorded. Names are taken in sorted order, so that which of them
// finds no room does not depend on how the client wrote the object.
func (pf *profile) consentTraits(e *event.Event) {
	var traits jsonvalue.Lazy
	traits.Reset(e.Traits)
	for _, about := range [...]struct {
		trait   string
		subject customer.Subject
	}{{traitConsent, customer.AboutCategory}, {traitPreferences, customer.AboutChannel}} {
		v := traits.Get(about.trait)
		if v == nil || v.Type() == fastjson.TypeNull {
			continue
		}
		if v.Type() != fastjson.TypeObject {
			pf.wholeConsent(e, about.trait, about.subject, v)
			continue
		}
		o := v.GetObject()
		for _, name := range jsonvalue.SortedKeys(o) {
			pf.consentTrait(e, about.subject, name, o.Get(name))
		}
	}
}

// wholeConsent takes up a trait consent or preferences that is no object and so names no category or
// channel. The trait consent can then only refuse marketing, and the fault is recorded.
func (pf *profile) wholeConsent(e *event.Event, trait string, subject customer.Subject, v *fastjson.Value) {
	pf.badConsent(trait)
	if yes, _ := jsonvalue.YesOrNo(v); subject == customer.AboutCategory && !yes {
		pf.setConsent(customer.Consent{
			Subject: subject,
			Name:    program.Marketing,
			At:      e.Time,
			Source:  clip.Text(pf.consentSource(e.Name), maxConsentSource),
		})
	}
}

// consentTrait takes up one member of the traits consent or preferences. Its time may lie before the
// event (when the customer agreed elsewhere), never after it.
func (pf *profile) consentTrait(e *event.Event, subject customer.Subject, name string, v *fastjson.Value) {
	x := customer.Consent{Subject: subject, Name: name, At: e.Time, Source: pf.consentSource(e.Name)}
	switch {
	case v.Type() == fastjson.TypeNull:
		if old := pf.c.Consent(subject, name); old != nil && old.At <= e.Time {
			i := pf.c.ConsentIndex(subject, name)
			pf.c.Consents = append(pf.c.Consents[:i], pf.c.Consents[i+1:]...)
		}
		return
	case v.Type() == fastjson.TypeObject:
		var ok bool
		if x.Granted, ok = jsonvalue.YesOrNo(v.Get("granted")); !ok {
			pf.badConsent(name)
		}
		if at, err := time.Parse(time.RFC3339Nano, string(v.GetStringBytes("at"))); err == nil {
			// A time in the future would outlast every later statement.
			x.At = min(at.UnixMilli(), e.Time)
		}
		if source := v.GetStringBytes("source"); len(source) > 0 {
			x.Source = pf.consentSource(string(source))
		}
	default:
		var ok bool
		if x.Granted, ok = jsonvalue.YesOrNo(v); !ok {
			pf.badConsent(name)
		}
	}
	x.Source = clip.Text(x.Source, maxConsentSource)
	pf.setConsent(x)
}

// setConsent remembers a consent. A consent that is older than the one known, and only arrived
// later, changes nothing; of the same time the later record holds. When there is no room, an
// agreement is forgotten before a refusal: what was refused must never be sent by oversight.
func (pf *profile) setConsent(x customer.Consent) {
	x.Name = clip.Text(x.Name, 64)
	if old := pf.c.Consent(x.Subject, x.Name); old != nil {
		if old.At <= x.At {
			*old = x
		}
		return
	}
	if len(pf.c.Consents) >= maxConsents {
		// No room: the first agreement in the list is forgotten, if there is one and the new
		// statement is a refusal.
		i := 0
		for i < len(pf.c.Consents) && !pf.c.Consents[i].Granted {
			i++
		}
		if x.Granted || i == len(pf.c.Consents) {
			pf.badConsent(x.Name)
			return
		}
		pf.c.Consents = append(pf.c.Consents[:i], pf.c.Consents[i+1:]...)
	}
	i := pf.c.ConsentIndex(x.Subject, x.Name)
	pf.c.Consents = append(pf.c.Consents, customer.Consent{})
	copy(pf.c.Consents[i+1:], pf.c.Consents[i:])
	pf.c.Consents[i] = x
}

// consentSource returns who states a consent: the source of the current record, which the server
// took from the key it came with, before what the record itself claims.
func (pf *profile) consentSource(claimed string) string {
	v := pf.scope.Event.Context.Get(event.ContextSource)
	if v == nil {
		return claimed
	}
	// "website/Consent Changed": the source of the key, then what the record says.
	if name := v.GetStringBytes(); len(name) > 0 {
		return string(name) + "/" + claimed
	}
	return claimed
}

// refusesDisturbed refuses a delivery on a channel, or at all, on which the customer is not to be
// disturbed. It holds for transactional messages too.
func refusesDisturbed(q *sendQuestion) refusal {
	return refuseIf(q.sd.c.Undisturbed(q.channel), output.ReasonDisturb, "")
}

// noteDisturb notes the do-not-disturb of every channel and of this one.
func noteDisturb(q *sendQuestion, rule trace.Rule, r refusal) {
	q.note(rule, r.answer(), "", consentFacts(q.sd.c, customer.AboutDisturbance, "", q.channel)...)
}

// refusesConsent refuses a category to which the customer does not agree; see consented.
func refusesConsent(q *sendQuestion) refusal {
	return refuseIf(!q.t.exempt && !q.sd.consented(q.category), output.ReasonNoConsent, q.category)
}

// noteConsent notes the consent of the category, or that a transactional send does not ask for it.
func noteConsent(q *sendQuestion, rule trace.Rule, r refusal) {
	if q.t.exempt {
		q.note(
			rule,
			trace.Note,
			"consent, quiet hours, caps and conflicts are not asked",
			trace.TruthFact(program.Transactional, true),
		)
		return
	}
	facts := consentFacts(q.sd.c, customer.AboutCategory, q.category)
	q.note(
		rule,
		r.answer(),
		q.category,
		append(facts, trace.TruthFact("required", q.sd.set.Rules.Required[q.category]))...)
}

// refusesPreference refuses a channel that the customer does not want.
func refusesPreference(q *sendQuestion) refusal {
	return refuseIf(q.sd.c.Refused(customer.AboutChannel, q.channel), output.ReasonPreference, q.channel)
}

// notePreference notes what the customer said about the channel.
func notePreference(q *sendQuestion, rule trace.Rule, r refusal) {
	q.note(rule, r.answer(), q.channel, consentFacts(q.sd.c, customer.AboutChannel, q.channel)...)
}

// consentFacts returns what is known of the customer's consents about a subject, one after another for
// the names. A consent that is not known is a fact without a value; a missing do-not-disturb is none.
func consentFacts(c *customer.Customer, subject customer.Subject, names ...string) (facts []trace.Fact) {
	for _, name := range names {
		x := c.Consent(subject, name)
		switch {
		case x == nil && subject == customer.AboutDisturbance:
		case x == nil:
			facts = append(facts, trace.Fact{Name: "granted"})
		case subject == customer.AboutDisturbance:
			on := cmp.Or(name, "every channel")
			facts = append(facts, trace.TruthFact("on "+on, !x.Granted), trace.TimeFact("at", x.At))
		default:
			facts = append(
				facts,
				trace.TruthFact("granted", x.Granted),
				trace.TimeFact("at", x.At),
				trace.TextFact("source", x.Source),
			)
		}
	}
	return facts
}
