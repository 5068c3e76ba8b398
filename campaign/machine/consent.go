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
	eventConsent     = "Consent Changed" // {category or channel, granted, source}
	eventUnsubscribe = "Unsubscribed"    // {category or channel}; neither: marketing
	eventDisturb     = "Do Not Disturb"  // {enabled, channel}; without a channel: all
	traitConsent     = "consent"         // {category: granted}
	traitPreferences = "preferences"     // {channel: granted}
)

// maxConsents bounds what is remembered of one customer's consents.
const maxConsents = 64

// maxConsentSource bounds a Consent's Source, bytes.
const maxConsentSource = 100

// consents takes up what the current record says about consent.
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

// yes reads a property that says yes or no; what says neither is recorded and counts as
// otherwise.
func (pf *profile) yes(property string, otherwise bool) bool {
	yes, ok := jsonvalue.YesOrNo(pf.scope.Event.Props.Get(property))
	if !ok {
		pf.badConsent(property)
		return otherwise
	}
	return yes
}

// badConsent records what cannot be read, or kept.
func (pf *profile) badConsent(name string) {
	pf.out.decide(output.Decision{Kind: output.Erred, Reason: output.ReasonConsent, Detail: clip.Text(name, 100)})
}

// names are what a property names: a text, or a list of texts. bad says that it is there
// and names nothing; that is recorded.
func (pf *profile) names(property string) (names []string, bad bool) {
	v := pf.scope.Event.Props.Get(property)
	if v == nil || v.Type() == fastjson.TypeNull {
		return nil, false
	}
	items := []*fastjson.Value{v}
	if v.Type() == fastjson.TypeArray {
		items = v.GetArray()
	}
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

// property is a text of the record's properties, empty when there is none.
func (pf *profile) property(name string) string {
	v := pf.scope.Event.Props.Get(name)
	if v == nil {
		return ""
	}
	return string(v.GetStringBytes())
}

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
// to yes or no (see YesOrNo), or {granted, at, source}. null forgets what was said; what
// says neither yes nor no is no agreement, and is recorded.
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

// wholeConsent takes up a trait that should name categories or channels and names none: as
// consent it can only refuse, and that is recorded.
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

// setConsent remembers a consent. One that happened before what is known, and only
// came later, changes nothing. When there is no room, an agreement is forgotten
// before a refusal.
func (pf *profile) setConsent(x customer.Consent) {
	x.Name = clip.Text(x.Name, 64)
	if old := pf.c.Consent(x.Subject, x.Name); old != nil {
		if old.At <= x.At {
			*old = x
		}
		return
	}
	if len(pf.c.Consents) >= maxConsents {
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

// consentSource is who says something about consent: the source of the current record, by whose key
// it came, before what the record itself claims.
func (pf *profile) consentSource(claimed string) string {
	v := pf.scope.Event.Context.Get(event.ContextSource)
	if v == nil {
		return claimed
	}
	if name := v.GetStringBytes(); len(name) > 0 {
		return string(name) + "/" + claimed
	}
	return claimed
}

func refusesDisturbed(q *sendQuestion) refusal {
	return refuseIf(q.sd.c.Undisturbed(q.channel), output.ReasonDisturb, "")
}

func noteDisturb(q *sendQuestion, rule trace.Rule, r refusal) {
	q.note(rule, r.answer(), "", consentFacts(q.sd.c, customer.AboutDisturbance, "", q.channel)...)
}

func refusesConsent(q *sendQuestion) refusal {
	return refuseIf(!q.t.exempt && !q.sd.consented(q.category), output.ReasonNoConsent, q.category)
}

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

func refusesPreference(q *sendQuestion) refusal {
	return refuseIf(q.sd.c.Refused(customer.AboutChannel, q.channel), output.ReasonPreference, q.channel)
}

func notePreference(q *sendQuestion, rule trace.Rule, r refusal) {
	q.note(rule, r.answer(), q.channel, consentFacts(q.sd.c, customer.AboutChannel, q.channel)...)
}

// consentFacts are what is known about subjects of the names.
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
