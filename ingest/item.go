package ingest

import (
	"fmt"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Codes of field errors. Programs of clients compare them, so they do not change.
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
	// maxName is how many bytes an id or a name may have.
	maxName = 255
)

// anonymousPrefix begins the ids of customers who are known by anonymousId only.
const anonymousPrefix = customer.AnonymousPrefix

// item is one call on its way to an event. It belongs to one goroutine.
type item struct {
	d *decoder
	v *fastjson.Value
	// kind is the type that the path says; empty: the item says it in "type".
	kind string
	// fallback is the message id when the item has none.
	fallback string
	// context and sentAt are those of the batch around the item; nil without.
	context *fastjson.Value
	sentAt  *fastjson.Value
	// customer is the id that was found, for the record of a refusal.
	customer string

	// anonymous is anonymousId as given.
	anonymous string
	// unsaid is true when the client must not learn that the call is refused.
	unsaid bool
}

// event checks every field of the call and returns it as an event, whose JSON is in the
// decoder's arena. Refused calls take nothing from the arena.
func (i *item) event() (event.Event, *FieldError) {
	e := event.Event{Workspace: i.d.workspace}
	if i.v.Type() != fastjson.TypeObject {
		return e, &FieldError{Path: "item", Code: codeType, Message: "must be an object, not " + typeName(i.v)}
	}
	if wrong := i.d.plain(i.v); wrong != nil {
		wrong.Path = strings.TrimPrefix(wrong.Path, ".")
		return e, wrong
	}
	// Consent comes before all else: without it nothing of the call may be used but whose it
	// is.
	if wrong := i.consented(); wrong != nil {
		return e, wrong
	}
	// The size of an event is what its JSON takes in the arena.
	before := len(i.d.arena)
	wrong := i.fields(&e)
	if wrong == nil {
		wrong = i.d.maySend(e.Customer)
	}
	if wrong != nil {
		i.d.arena = i.d.arena[:before]
		return event.Event{}, wrong
	}
	// A refused call gives its part of the arena back, for the next one.
	if size := len(i.d.arena) - before; size > MaxEvent {
		i.d.arena = i.d.arena[:before]
		return event.Event{}, tooLargeItem(size)
	}
	return e, nil
}

// fields reads the fields of the call into e. An alias call finds its customer last, because
// its fields mean other things.
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

// bytes is text without a copy: the result lives as long as the parsed body. Texts with
// control characters are refused, which would end up in logs and terminals.
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

// callType reads the type of the call and what that type needs: the name of a track call, the
// group of a group call. Other types have names of their own, which begin with "$" and which
// no client can give.
func (i *item) callType(e *event.Event) *FieldError {
	kind := i.kind
	if kind == "" {
		b, wrong := i.bytes("type")
		if wrong != nil {
			return wrong
		}
		kind = wire.Alias(b) // as long as the body
	}
	// required is the field without which a call of its type says nothing.
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
	// The id of a group may be a number; the name of an event may not.
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
		// Campaigns can trust that "$identify" and the others come from calls of that type.
		if strings.HasPrefix(value, "$") {
			return &FieldError{Path: "event", Code: codeReserved, Message: `names that begin with "$" are reserved`}
		}
	}
	return nil
}

// messageID reads the id by which a repeated call is recognised. A call without one gets a
// random one, and is then taken each time it is sent.
func (i *item) messageID(e *event.Event) *FieldError {
	id, wrong := i.id("messageId")
	if wrong != nil {
		return wrong
	}
	// Otherwise all messages of a broken client, which sends "null" or "0" each time, would
	// count as one.
	if event.NamesNobody(id) {
		id = i.fallback
	}
	if id == "" {
		id = i.d.newID()
	}
	e.ID = id
	return nil
}
