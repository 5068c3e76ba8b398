package ingest

import (
	"fmt"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Codes of field errors; stable.
const (
	codeMissing   = "missing"
	codeType      = "wrong_type"
	codeTooLong   = "too_long"
	codeTooLarge  = "too_large"
	codeUnknown   = "unknown"
	codeFormat    = "bad_format"
	codeReserved  = "reserved"
	codeDuplicate = "duplicate_key"
	codeNobody    = "nobody"
	codeKnown     = "known_customer"
	codeConsent   = "no_consent"

	codeUnavailable = "partition_unavailable"
)

const (
	maxName = 255 // bytes of ids and names
)

// anonymousPrefix marks the ids of customers who are known by anonymousId only.
const anonymousPrefix = campaign.AnonymousPrefix

// item is one call on its way to an event.
type item struct {
	d        *decoder
	v        *fastjson.Value
	kind     string // empty: the item says it in "type"
	fallback string // message id when the item has none
	context  *fastjson.Value
	sentAt   *fastjson.Value
	customer string

	anonymous string // anonymousId as given
}

// event checks every field of the call.
func (i *item) event() (campaign.Event, *FieldError) {
	e := campaign.Event{Workspace: i.d.workspace}
	if i.v.Type() != fastjson.TypeObject {
		return e, &FieldError{Path: "item", Code: codeType, Message: "must be an object, not " + typeName(i.v)}
	}
	if wrong := i.d.plain(i.v); wrong != nil {
		wrong.Path = strings.TrimPrefix(wrong.Path, ".")
		return e, wrong
	}
	if wrong := i.consented(); wrong != nil {
		return e, wrong
	}
	before := len(i.d.arena)
	if wrong := i.fields(&e); wrong != nil {
		i.d.arena = i.d.arena[:before]
		return campaign.Event{}, wrong
	}
	if size := len(i.d.arena) - before; size > MaxEvent {
		i.d.arena = i.d.arena[:before]
		return campaign.Event{}, &FieldError{
			Path: "item", Code: codeTooLarge,
			Message: fmt.Sprintf("%d bytes; at most %d are allowed in an event", size, MaxEvent),
		}
	}
	return e, nil
}

// fields reads the fields of the call into e.
func (i *item) fields(e *campaign.Event) *FieldError {
	aliases := i.callKind() == aliasCall
	if !aliases {
		if wrong := i.identity(e); wrong != nil {
			return wrong
		}
		if wrong := i.callType(e); wrong != nil {
			return wrong
		}
	}
	if wrong := i.messageID(e); wrong != nil {
		return wrong
	}
	if wrong := i.times(e); wrong != nil {
		return wrong
	}
	if aliases {
		return i.alias(e)
	}
	return i.objects(e)
}

// text reads a text field; "" when it is absent or null.
func (i *item) text(name string) (string, *FieldError) {
	b, wrong := i.bytes(name)
	return string(b), wrong
}

// bytes is text that lives as long as the parsed body.
func (i *item) bytes(name string) ([]byte, *FieldError) {
	v := i.v.Get(name)
	if v == nil || v.Type() == fastjson.TypeNull {
		return nil, nil
	}
	if v.Type() != fastjson.TypeString {
		return nil, &FieldError{Path: name, Code: codeType, Message: "must be a text, not " + typeName(v)}
	}
	b := v.GetStringBytes()
	if len(b) > maxName {
		return nil, &FieldError{
			Path: name, Code: codeTooLong,
			Message: fmt.Sprintf("%d bytes; at most %d are allowed", len(b), maxName),
		}
	}
	for _, c := range b {
		if c < ' ' || c == 0x7f {
			return nil, &FieldError{Path: name, Code: codeFormat, Message: "control characters are not allowed"}
		}
	}
	return b, nil
}

func (i *item) identity(e *campaign.Event) *FieldError {
	user, wrong := i.text("userId")
	if wrong != nil {
		return wrong
	}
	anonymous, wrong := i.text("anonymousId")
	if wrong != nil {
		return wrong
	}
	i.anonymous = anonymous
	switch {
	case strings.HasPrefix(user, anonymousPrefix):
		return reservedUser()
	case user != "":
		e.Customer = user
	case anonymous != "":
		e.Customer = anonymousPrefix + anonymous
	case i.toEverybody():
	default:
		return &FieldError{Path: "userId", Code: codeMissing, Message: "userId or anonymousId is needed"}
	}
	i.customer = e.Customer
	return nil
}

func (i *item) callType(e *campaign.Event) *FieldError {
	kind := i.kind
	if kind == "" {
		b, wrong := i.bytes("type")
		if wrong != nil {
			return wrong
		}
		kind = wire.Alias(b) // as long as the body
	}
	required := ""
	switch kind {
	case "track":
		e.Type, required = campaign.Track, "event"
	case "identify":
		e.Type, e.Name = campaign.Identify, "$identify"
	case "page":
		e.Type, e.Name = campaign.Page, "$page"
	case "screen":
		e.Type, e.Name = campaign.Screen, "$screen"
	case "group":
		e.Type, e.Name, required = campaign.Group, "$group", "groupId"
	case "":
		return &FieldError{
			Path: "type", Code: codeMissing, Message: "track, identify, page, screen, group or alias is needed",
		}
	default:
		return &FieldError{
			Path: "type", Code: codeUnknown,
			Message: fmt.Sprintf("%q is not known; use track, identify, page, screen, group or alias", clip(kind, 40)),
		}
	}
	if required == "" {
		return nil
	}
	value, wrong := i.text(required)
	if wrong != nil {
		return wrong
	}
	if value == "" {
		return &FieldError{Path: required, Code: codeMissing, Message: "is needed for a " + kind + " call"}
	}
	if kind == "track" {
		e.Name = value
		if strings.HasPrefix(value, "$") {
			return &FieldError{Path: "event", Code: codeReserved, Message: `names that begin with "$" are reserved`}
		}
	}
	return nil
}

func (i *item) messageID(e *campaign.Event) *FieldError {
	id, wrong := i.text("messageId")
	if wrong != nil {
		return wrong
	}
	if id == "" {
		id = i.fallback
	}
	if id == "" {
		id = i.d.newID()
	}
	e.ID = id
	return nil
}

// times works out the event time: when the client says it happened, corrected
// for its clock's skew when it says when it sent it, and never in the future.
func (i *item) times(e *campaign.Event) *FieldError {
	at, given, wrong := instant("timestamp", i.v.Get("timestamp"))
	if wrong != nil {
		return wrong
	}
	if !given {
		if at, given, wrong = instant("originalTimestamp", i.v.Get("originalTimestamp")); wrong != nil {
			return wrong
		}
	}
	sentAt := i.v.Get("sentAt")
	if sentAt == nil {
		sentAt = i.sentAt
	}
	sent, sentGiven, wrong := instant("sentAt", sentAt)
	if wrong != nil {
		return wrong
	}
	e.Time = i.d.now
	switch {
	case i.d.recorded && !given:
		return &FieldError{Path: "timestamp", Code: codeMissing, Message: "is needed in a recorded call"}
	case i.d.recorded:
		e.Time = at
	case given:
		e.Time = at
		if sentGiven {
			e.Time = i.d.now - (sent - at)
		}
		e.Time = min(e.Time, i.d.now)
	}
	if h := i.v.Get("historical"); h != nil && h.Type() != fastjson.TypeNull {
		if h.Type() != fastjson.TypeTrue && h.Type() != fastjson.TypeFalse {
			return &FieldError{Path: "historical", Code: codeType, Message: "must be true or false, not " + typeName(h)}
		}
		e.Historical = h.GetBool()
	}
	return nil
}

// instant reads an RFC 3339 time, in ms.
func instant(name string, v *fastjson.Value) (ms int64, given bool, wrong *FieldError) {
	if v == nil || v.Type() == fastjson.TypeNull {
		return 0, false, nil
	}
	if v.Type() != fastjson.TypeString {
		return 0, false, &FieldError{Path: name, Code: codeType, Message: "must be a text, not " + typeName(v)}
	}
	text := wire.Alias(v.GetStringBytes())
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() < 1970 || t.Year() > 9998 {
		return 0, false, &FieldError{
			Path: name, Code: codeFormat,
			Message: fmt.Sprintf("%q is no time; write for example 2026-03-01T10:00:00Z", clip(text, 40)),
		}
	}
	return t.UnixMilli(), true, nil
}

// objects keeps the JSON objects of the call.
func (i *item) objects(e *campaign.Event) *FieldError {
	for _, f := range [...]struct {
		name string
		into *[]byte
	}{{"properties", &e.Properties}, {"traits", &e.Traits}, {"context", &e.Context}} {
		v := i.v.Get(f.name)
		if v == nil && f.name == "context" {
			v = i.context
		}
		if v == nil || v.Type() == fastjson.TypeNull {
			continue
		}
		if v.Type() != fastjson.TypeObject {
			return &FieldError{Path: f.name, Code: codeType, Message: "must be an object, not " + typeName(v)}
		}
		*f.into = i.d.keep(v)
	}
	if e.Type == campaign.Group && e.Properties == nil {
		e.Properties = i.d.keep(groupProperties(i.v))
	}
	return nil
}

// groupProperties shows a group call's id as a property, where predicates look.
func groupProperties(v *fastjson.Value) *fastjson.Value {
	var a fastjson.Arena
	o := a.NewObject()
	o.Set("groupId", v.Get("groupId"))
	return o
}
