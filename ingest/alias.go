package ingest

import (
	"encoding/json"
	"strings"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// aliasCall is the type of a call that says who an anonymous customer is.
const aliasCall = "alias"

// callKind is the type of the call; empty when it has none. It lives as long as the body.
func (i *item) callKind() string {
	if i.kind != "" {
		return i.kind
	}
	return wire.Alias(i.v.GetStringBytes("type"))
}

// merge is the event that makes the anonymous customer of an identify call the known one;
// false when the call names no two customers.
func (i *item) merge(e *event.Event) (event.Event, bool) {
	if e.Type != event.Identify || i.anonymous == "" || customer.Anonymous(e.Customer) {
		return event.Event{}, false
	}
	return aliasEvent(*e, i.anonymous, e.Customer), true
}

// aliasEvent is an alias event with the workspace, id and times of e.
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

// alias reads a call that says who an anonymous customer is: previousId, else
// anonymousId, is userId from now on.
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
	named := strings.TrimPrefix(previous, customer.AnonymousPrefix)
	i.customer = customer.AnonymousPrefix + named
	if field == "previousId" && previous == named {
		if wrong := i.refuseKnown(previous, user); wrong != nil {
			return wrong
		}
	}
	*e = aliasEvent(*e, named, user)
	return nil
}

// previous is the id of the anonymous customer of an alias call, and its field.
func (i *item) previous() (id, field string, wrong *FieldError) {
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

// refuseKnown refuses a previousId under which a known customer is: two known customers
// do not merge. The holder of a write key may not learn who is a customer, so the client gets the
// answer of a call that is taken; the refusal is kept for the operator.
func (i *item) refuseKnown(previous, user string) *FieldError {
	known := previous == user
	if !known && i.d.known != nil {
		var err error
		known, err = i.d.known(i.d.workspace, previous)
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

// add takes an event, and before it the merge that its call asks for.
func (d *decoder) add(i *item, e event.Event) {
	if merge, is := i.merge(&e); is {
		d.events = append(d.events, merge)
		d.merges++
	}
	d.events = append(d.events, e)
}

// calls is how many calls were taken.
func (d *decoder) calls() int { return len(d.events) - d.merges }
