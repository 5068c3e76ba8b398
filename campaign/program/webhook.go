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
	// MaxMapped is the largest number of properties that a webhook makes of a body.
	MaxMapped = 200
	// MaxHookID is the largest length of the ids that a webhook makes, bytes.
	MaxHookID = 255
)

// WebhookPrefix stands before the campaign's name in the name of its event. Such names
// are reserved, so no tracking call can pass for one.
const WebhookPrefix = "$webhook/"

// WebhookTrigger fires on a call of the campaign's own endpoint, whose body it maps to
// an event.
type WebhookTrigger struct {
	onRecords
	uncounted

	Mapping []Mapped // in the order written
	Event   string
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

// Mapped is one property that is taken from a body. userId, anonymousId and messageId
// say whose event it is and which; all others are properties of the event.
type Mapped struct {
	Name     string
	Path     []string // keys and indexes below the body
	Type     string   // one of those that hookValue knows; empty: any
	Required bool
	Default  *Literal // taken when the value is missing; nil: none
}

// HookError says what is wrong with a body.
type HookError struct {
	Field   string // the name in the mapping
	Missing bool   // else it is not of its type, or names nobody
	Nobody  bool   // NamesNobody says so of the id
	Message string
}

// Read maps a body to an event. Workspace, time and type of the id are the caller's.
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

// somebody drops ids that name nobody; one of the two must name a customer.
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

// read is the value as JSON, nil when there is none.
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

func (m *Mapped) path() string { return "$." + strings.Join(m.Path, ".") }

// id is a text or a whole number as an id.
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

// hookValue says whether a value is of a type.
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
