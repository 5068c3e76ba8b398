package ingest

import (
	"fmt"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
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
	codeTooOld    = "too_old"
	codeKnown     = "known_customer"
	codeConsent   = "no_consent"
	codeForbidden = "forbidden"

	codeTooManyValues = "too_many_values"

	codeUnavailable = "partition_unavailable"
)

const (
	maxName = 255 // bytes of ids and names
)

// anonymousPrefix marks the ids of customers who are known by anonymousId only.
const anonymousPrefix = customer.AnonymousPrefix

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
	unsaid    bool   // the client must not learn that the call is refused
}

// event checks every field of the call.
func (i *item) event() (event.Event, *FieldError) {
	e := event.Event{Workspace: i.d.workspace}
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
	wrong := i.fields(&e)
	if wrong == nil {
		wrong = i.d.maySend(e.Customer)
	}
	if wrong != nil {
		i.d.arena = i.d.arena[:before]
		return event.Event{}, wrong
	}
	if size := len(i.d.arena) - before; size > MaxEvent {
		i.d.arena = i.d.arena[:before]
		return event.Event{}, tooLargeItem(size)
	}
	return e, nil
}

// fields reads the fields of the call into e.
func (i *item) fields(e *event.Event) *FieldError {
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

func (i *item) callType(e *event.Event) *FieldError {
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
		e.Type, required = event.Track, "event"
	case "identify":
		e.Type, e.Name = event.Identify, "$identify"
	case "page":
		e.Type, e.Name = event.Page, "$page"
	case "screen":
		e.Type, e.Name = event.Screen, "$screen"
	case "group":
		e.Type, e.Name, required = event.Group, "$group", "groupId"
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
	read := i.text
	if required == "groupId" {
		read = i.id
	}
	value, wrong := read(required)
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

func (i *item) messageID(e *event.Event) *FieldError {
	id, wrong := i.id("messageId")
	if wrong != nil {
		return wrong
	}
	if event.NamesNobody(id) { // or all messages of a broken client would be one
		id = i.fallback
	}
	if id == "" {
		id = i.d.newID()
	}
	e.ID = id
	return nil
}
