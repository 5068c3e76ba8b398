package ingest

import (
	"encoding/json"
	"strings"

	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/internal/wire"
)

// aliasCall is the type of a call that says who an anonymous customer is.
const aliasCall = "alias"

// nobody says whether an anonymous id is one that broken clients send for everybody, so
// that it names no one.
func nobody(id string) bool {
	switch strings.ToLower(strings.TrimSpace(id)) {
	case "", "null", "nil", "none", "undefined", "nan", "0", "-1", "false", "true", "unknown", "anonymous", "guest",
		"[object object]", "00000000-0000-0000-0000-000000000000":
		return true
	}
	return false
}

// callKind is the type of the call; empty when it has none. It lives as long as the body.
func (i *item) callKind() string {
	if i.kind != "" {
		return i.kind
	}
	return wire.Alias(i.v.GetStringBytes("type"))
}

// merge is the event that makes the anonymous customer of an identify call the known one;
// false when the call names no two customers.
func (i *item) merge(e *campaign.Event) (campaign.Event, bool) {
	if e.Type != campaign.Identify || i.anonymous == "" || campaign.Anonymous(e.Customer) || nobody(i.anonymous) {
		return campaign.Event{}, false
	}
	return aliasEvent(*e, i.anonymous, e.Customer), true
}

// aliasEvent is an alias event with the workspace, id and times of e.
func aliasEvent(e campaign.Event, anonymous, user string) campaign.Event {
	properties, err := json.Marshal(map[string]string{"userId": user})
	if err != nil {
		panic("BUG: a text is no JSON: " + err.Error())
	}
	return campaign.Event{
		Workspace: e.Workspace, Customer: campaign.AnonymousPrefix + anonymous, ID: e.ID, Type: campaign.Alias,
		Name: "$alias", Time: e.Time, Historical: e.Historical, Properties: properties,
	}
}

// alias reads a call that says who an anonymous customer is: previousId, else
// anonymousId, is userId from now on.
func (i *item) alias(e *campaign.Event) *FieldError {
	user, wrong := i.text("userId")
	switch {
	case wrong != nil:
		return wrong
	case user == "":
		return &FieldError{Path: "userId", Code: codeMissing, Message: "is needed for an alias call"}
	case campaign.Anonymous(user):
		return reservedUser()
	}
	field := "previousId"
	previous, wrong := i.text(field)
	if wrong == nil && previous == "" {
		field = "anonymousId"
		previous, wrong = i.text(field)
	}
	if wrong != nil {
		return wrong
	}
	named := strings.TrimPrefix(previous, campaign.AnonymousPrefix)
	i.customer = campaign.AnonymousPrefix + named
	switch {
	case previous == "":
		return &FieldError{Path: "previousId", Code: codeMissing, Message: "previousId or anonymousId is needed"}
	case nobody(named):
		return &FieldError{Path: field, Code: codeNobody, Message: "names nobody: many clients send it"}
	case field == "previousId" && previous == named:
		if wrong := i.refuseKnown(previous, user); wrong != nil {
			return wrong
		}
	}
	*e = aliasEvent(*e, named, user)
	return nil
}

// refuseKnown refuses a previousId under which a known customer is: two known customers
// do not merge.
func (i *item) refuseKnown(previous, user string) *FieldError {
	known := previous == user
	if !known && i.d.known != nil {
		var err error
		if known, err = i.d.known(i.d.workspace, previous); err != nil {
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

func reservedUser() *FieldError {
	return &FieldError{
		Path: "userId", Code: codeReserved, Message: `must not begin with "` + campaign.AnonymousPrefix + `"`,
	}
}

// add takes an event, and before it the merge that its call asks for.
func (d *decoder) add(i *item, e campaign.Event) {
	if merge, is := i.merge(&e); is {
		d.events = append(d.events, merge)
		d.merges++
	}
	d.events = append(d.events, e)
}

// calls is how many calls were taken.
func (d *decoder) calls() int { return len(d.events) - d.merges }
