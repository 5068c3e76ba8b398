package ingest

import (
	"encoding/json"
	"strings"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// aliasCall is the type of a call that says which known customer an anonymous one is.
const aliasCall = "alias"

// callKind returns the type of the call; empty when it has none. It lives as long as the body.
func (i *item) callKind() string {
	if i.kind != "" {
		return i.kind
	}
	return wire.Alias(i.v.GetStringBytes("type"))
}

// merge returns the event by which the anonymous customer of an identify call becomes the
// known one; false when the call does not name both.
func (i *item) merge(e *event.Event) (event.Event, bool) {
	if e.Type != event.Identify || i.anonymous == "" || customer.Anonymous(e.Customer) {
		return event.Event{}, false
	}
	return aliasEvent(*e, i.anonymous, e.Customer), true
}

// aliasEvent returns an alias event with the workspace, id and times of e. It belongs to the
// anonymous customer, whose shard moves their state to the known one.
func aliasEvent(e event.Event, anonymous, user string) event.Event {
	properties, err := json.Marshal(map[string]string{"userId": user})
	if err != nil {
		panic("BUG: a text is no JSON: " + err.Error())
	}
	return event.Event{
		Workspace: e.Workspace, Customer: customer.AnonymousPrefix + anonymous, ID: e.ID, Type: event.Alias,
		Name: "$alias", Time: e.Time, Historical: e.Historical, Properties: properties,
	}
}

// alias reads a call that says who an anonymous customer is: previousId, else anonymousId, is
// userId from now on.
func (i *item) alias(e *event.Event) *FieldError {
	user, badUser, wrong := i.person("userId")
	switch {
	case wrong != nil:
		return wrong
	case badUser:
		return namesNobody("userId")
	case user == "":
		return &FieldError{Path: "userId", Code: codeMissing, Message: "is needed for an alias call"}
	case customer.Anonymous(user):
		return reservedUser()
	}
	previous, field, wrong := i.previous()
	if wrong != nil {
		return wrong
	}
	// previousId may be given with the prefix of anonymous ids or without it.
	named := strings.TrimPrefix(previous, customer.AnonymousPrefix)
	i.customer = customer.AnonymousPrefix + named
	// Only a plain previousId can be the id of a known customer.
	if field == "previousId" && previous == named {
		if wrong := i.refuseKnown(previous, user); wrong != nil {
			return wrong
		}
	}
	*e = aliasEvent(*e, named, user)
	return nil
}

// previous returns the id of the anonymous customer of an alias call, and the field that it is
// in.
func (i *item) previous() (id, field string, wrong *FieldError) {
	// The first field that names a customer counts; one that names nobody is only named in the
	// error.
	nobody := ""
	for _, field := range []string{"previousId", "anonymousId"} {
		id, bad, wrong := i.person(field)
		switch {
		case wrong != nil:
			return "", "", wrong
		case id != "":
			return id, field, nil
		case bad && nobody == "":
			nobody = field
		}
	}
	if nobody != "" {
		return "", "", namesNobody(nobody)
	}
	return "", "", &FieldError{Path: "previousId", Code: codeMissing, Message: "previousId or anonymousId is needed"}
}

// refuseKnown refuses a previousId that is the id of a known customer: two known customers do
// not merge. The holder of a write key may not learn who is a customer, so the client gets the
// answer of a call that is taken, and the refusal is kept for the operator. When the shard
// gives no answer the whole request fails, to be sent again.
func (i *item) refuseKnown(previous, user string) *FieldError {
	known := previous == user
	if !known && i.d.known != nil {
		var err error
		known, err = i.d.known(i.d.workspace, previous)
		// A file has no client from whom it must be kept.
		i.unsaid = known && !i.d.recorded
		if err != nil {
			i.d.failure = unavailable("partition_unavailable", err.Error())
			return &FieldError{Path: "previousId", Code: codeUnavailable, Message: err.Error()}
		}
	}
	if known {
		return &FieldError{
			Path: "previousId", Code: codeKnown,
			Message: "is a known customer; only an anonymous customer merges into a known one",
		}
	}
	return nil
}

// add takes an event, and before it the merge that its call asks for, so that the event finds
// one customer.
func (d *decoder) add(i *item, e event.Event) {
	if merge, is := i.merge(&e); is {
		d.events = append(d.events, merge)
		d.merges++
	}
	d.events = append(d.events, e)
}

// calls returns how many calls were taken; a call can be two events.
func (d *decoder) calls() int { return len(d.events) - d.merges }
