package program

import (
	"fmt"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
)

const (
	// MaxMapped is the largest number of properties that a webhook takes from a body.
	MaxMapped = 200
	// MaxHookID is the largest length of the ids that a webhook takes from a body, bytes.
	MaxHookID = 255
)

// WebhookPrefix comes before the campaign's name in the name of the trigger's event. Such names are
// reserved, so no tracked event can pass for a call of the webhook.
const WebhookPrefix = "$webhook/"

// WebhookTrigger fires on a call of the campaign's own endpoint, whose body it maps to an event. So
// other systems can start a campaign with the JSON that they send anyway.
type WebhookTrigger struct {
	onRecords
	uncounted

	Mapping []Mapped // in the order written
	// Event is WebhookPrefix and the campaign's name.
	Event string
}

// Events implements Trigger.
func (t *WebhookTrigger) Events() []string { return []string{t.Event} }

func (*WebhookTrigger) exprs(func(*expr.Expr)) {}

func (*WebhookTrigger) where() *expr.Expr { return nil }

// Gives implements Trigger.
func (t *WebhookTrigger) Gives() Given {
	g := Given{What: "the webhook's mapping"}
	for i := range t.Mapping {
		g.Names = append(g.Names, t.Mapping[i].Name)
	}
	return g
}

// Mapped is one property that is taken from a body, such as {total, $.order.amount, number}.
// userId, anonymousId and messageId say whose event it is and which; all others are properties of
// the event.
type Mapped struct {
	Name string
	// Path has the keys and indexes that lead from the body to the value: "$.items.0.sku" is [items
	// 0 sku].
	Path []string
	// Type is the type that the value must have, one of those of hookValue; empty: any.
	Type string
	// Required refuses a body without the value, unless there is a Default.
	Required bool
	// Default is taken when the value is missing or null; nil: none is.
	Default *Literal
}

// HookError says what is wrong with a body, for the system that sent it.
type HookError struct {
	// Field is the name in the mapping.
	Field string
	// Missing says that the value is not there; otherwise it has the wrong type, or names nobody.
	Missing bool
	// Nobody says that the value is an id such as "null" or "undefined", see event.NamesNobody.
	Nobody  bool
	Message string
}

// Read maps a body to an event. user and anonymous are the ids of the customer, at least one of
// them not empty. The caller adds the workspace, the time, and which of the ids it takes. wrong is
// nil if the body could be read.
func (t *WebhookTrigger) Read(body *fastjson.Value) (e event.Event, user, anonymous string, wrong *HookError) {
	e = event.Event{Type: event.Track, Name: t.Event}
	b := []byte{'{'}
	for i := range t.Mapping {
		m := &t.Mapping[i]
		text, wrong := m.read(body)
		if wrong != nil {
			return event.Event{}, "", "", wrong
		}
		if text == nil {
			continue
		}
		var into *string
		switch m.Name {
		case "userId":
			into = &user
		case "anonymousId":
			into = &anonymous
		case "messageId":
			into = &e.ID
		default:
			if len(b) > 1 {
				b = append(b, ',')
			}
			b = append(append(jsonvalue.AppendString(b, m.Name), ':'), text...)
			continue
		}
		if *into, wrong = m.id(text); wrong != nil {
			return event.Event{}, "", "", wrong
		}
	}
	if user, anonymous, wrong = somebody(user, anonymous); wrong != nil {
		return event.Event{}, "", "", wrong
	}
	if event.NamesNobody(e.ID) { // as an id of a message it would make all of them one
		e.ID = ""
	}
	e.Properties = append(b, '}')
	return e, user, anonymous, nil
}

// somebody empties ids that name nobody; at least one must be left.
func somebody(user, anonymous string) (string, string, *HookError) {
	badUser, badAnonymous := user != "" && event.NamesNobody(user), anonymous != "" && event.NamesNobody(anonymous)
	if badUser {
		user = ""
	}
	if badAnonymous {
		anonymous = ""
	}
	switch {
	case user != "" || anonymous != "":
		return user, anonymous, nil
	case badUser:
		return "", "", &HookError{
			Field: "userId", Nobody: true, Message: "names nobody; leave it out, or send an anonymousId",
		}
	case badAnonymous:
		return "", "", &HookError{
			Field: "anonymousId", Nobody: true, Message: "names nobody; send an id of the visitor's own",
		}
	}
	return "", "", &HookError{Field: "userId", Missing: true, Message: "userId or anonymousId is needed"}
}

// read returns the value as canonical JSON, nil when it is missing and may be.
func (m *Mapped) read(body *fastjson.Value) ([]byte, *HookError) {
	v := body.Get(m.Path...)
	if v == nil || v.Type() == fastjson.TypeNull {
		switch {
		case m.Default != nil:
			return []byte(m.Default.JSON), nil
		case m.Required:
			return nil, &HookError{Field: m.Name, Missing: true, Message: "is needed, at " + m.path()}
		}
		return nil, nil
	}
	if m.Type != "" && !hookValue(m.Type, v) {
		return nil, &HookError{Field: m.Name, Message: fmt.Sprintf("must be of type %s, at %s", m.Type, m.path())}
	}
	return jsonvalue.AppendCanonical(nil, v), nil
}

// path returns the place of the value as messages show it: $.order.id.
func (m *Mapped) path() string { return "$." + strings.Join(m.Path, ".") }

// id returns a text or a whole number as an id, without control characters.
func (m *Mapped) id(text []byte) (string, *HookError) {
	id, ok := "", false
	if v, err := fastjson.ParseBytes(text); err == nil {
		id, ok = jsonvalue.Identifier(v)
	}
	control := strings.IndexFunc(id, func(r rune) bool { return r < ' ' || r == 0x7f }) >= 0
	if !ok || id == "" || len(id) > MaxHookID || control {
		return "", &HookError{
			Field:   m.Name,
			Message: fmt.Sprintf("must be a text of 1 to %d bytes or a whole number, at %s", MaxHookID, m.path()),
		}
	}
	return id, nil
}

// hookValue reports whether a value is of a type. An email is checked for its form only, and e164
// is a telephone number such as +380441234567.
func hookValue(kind string, v *fastjson.Value) bool {
	text := ""
	if v.Type() == fastjson.TypeString {
		text = string(v.GetStringBytes())
	}
	switch kind {
	case "number":
		return v.Type() == fastjson.TypeNumber
	case "boolean":
		return v.Type() == fastjson.TypeTrue || v.Type() == fastjson.TypeFalse
	case "list":
		return v.Type() == fastjson.TypeArray
	case "object":
		return v.Type() == fastjson.TypeObject
	case "time":
		_, err := time.Parse(time.RFC3339Nano, text)
		return err == nil
	case "email":
		name, domain, ok := strings.Cut(text, "@")
		return ok && name != "" && domain != "" && !strings.ContainsAny(text, " \t\r\n") &&
			!strings.Contains(domain, "@")
	case "e164":
		digits, ok := strings.CutPrefix(text, "+")
		plain := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }) < 0
		return ok && plain && len(digits) >= 7 && len(digits) <= 15 && digits[0] != '0'
	}
	return v.Type() == fastjson.TypeString
}
