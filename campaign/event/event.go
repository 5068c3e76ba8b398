package event

import (
	"fmt"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/internal/wire"
)

// Type says which call of the tracking API an event came from.
type Type uint8

// The event types. Their numbers are part of the stored format.
const (
	Track Type = iota + 1
	Identify
	Page
	Screen
	Group
	Alias // of an anonymous customer: who they are
)

// String is the name of the type in the tracking API.
func (t Type) String() string {
	switch t {
	case Track:
		return "track"
	case Identify:
		return "identify"
	case Page:
		return "page"
	case Screen:
		return "screen"
	case Group:
		return "group"
	case Alias:
		return "alias"
	}
	return fmt.Sprintf("EventType(%d)", uint8(t))
}

// Event is what a customer did, or what happened to them.
type Event struct {
	Workspace string `json:"Workspace"`
	Customer  string `json:"Customer"` // user id, or "anon:" + anonymous id
	ID        string `json:"ID"`       // message id, unique for a customer within the dedupe window
	Type      Type   `json:"Type"`
	Name      string `json:"Name"` // of a track call; "$identify", "$page", "$screen", "$group" else
	Time      int64  `json:"Time"` // event time, ms; at most log time
	// Historical events change the customer and start nothing.
	Historical bool   `json:"Historical"`
	Properties []byte `json:"Properties"` // JSON object as received, nil when absent
	Traits     []byte `json:"Traits"`     // JSON object as received, nil when absent
	Context    []byte `json:"Context"`    // JSON object as received, nil when absent
}

// AppendTo appends the stored form of e.
func (e *Event) AppendTo(b []byte) []byte {
	b = wire.AppendString(b, e.Workspace)
	b = wire.AppendString(b, e.Customer)
	return e.AppendBody(b)
}

// AppendBody leaves out workspace and customer, for events stored in a customer.
func (e *Event) AppendBody(b []byte) []byte {
	b = wire.AppendString(b, e.ID)
	b = append(b, byte(e.Type))
	b = wire.AppendString(b, e.Name)
	b = wire.AppendInt(b, e.Time)
	b = wire.AppendBool(b, e.Historical)
	b = wire.AppendBytes(b, e.Properties)
	b = wire.AppendBytes(b, e.Traits)
	return wire.AppendBytes(b, e.Context)
}

// Decode reads what AppendTo wrote. The JSON fields alias p.
func Decode(p []byte) (Event, error) { return DecodeShared(p, nil) }

// DecodeShared is Decode for one who reads many: workspace and name are
// those in names.
func DecodeShared(p []byte, names Names) (Event, error) {
	return decodeEvent(wire.NewDecoder(p), names)
}

// DecodeAlias is DecodeShared for a p that nobody writes to any more and that
// may live as long as the event: the texts alias it too.
func DecodeAlias(p []byte, names Names) (Event, error) {
	return decodeEvent(wire.NewAliasDecoder(p), names)
}

func decodeEvent(d *wire.Decoder, names Names) (Event, error) {
	e := Event{Workspace: names.Of(d.Bytes()), Customer: d.String()}
	e.decodeBody(d, names)
	if err := d.Done(); err != nil {
		return Event{}, fmt.Errorf("campaign: event: %w", err)
	}
	return e, nil
}

func (e *Event) decodeBody(d *wire.Decoder, names Names) {
	e.ID = d.String()
	e.Type = Type(d.Byte())
	e.Name = names.Of(d.Bytes())
	e.Time = d.Int()
	e.Historical = d.Bool()
	e.Properties = d.Bytes()
	e.Traits = d.Bytes()
	e.Context = d.Bytes()
}

// DecodeBody reads an event stored in a customer; nil for no bytes.
func DecodeBody(p []byte) *Event {
	if len(p) == 0 {
		return nil
	}
	d := wire.NewDecoder(p)
	e := new(Event)
	e.decodeBody(d, nil)
	if d.Done() != nil {
		return nil
	}
	return e
}

// IdentifyName is the event name of identify calls, which change the profile.
const IdentifyName = "$identify"

// Target reads who an alias event says that its customer is; empty when it does not.
func (e *Event) Target() string {
	if e.Type != Alias {
		return ""
	}
	v, err := fastjson.ParseBytes(e.Properties)
	if err != nil {
		return ""
	}
	return string(v.GetStringBytes("userId"))
}

// ContextSource is the field of an event's context that names the source whose key it came
// with. The server writes it; without sources it is what the client says.
const ContextSource = "source"
