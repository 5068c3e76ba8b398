package event

import (
	"fmt"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/internal/wire"
)

// Type is the call of the tracking API that an event came from.
type Type uint8

// The types of events, which are those of the calls that bring them. Their numbers are part of the
// stored format.
const (
	Track Type = iota + 1
	Identify
	Page
	Screen
	Group
	// Alias tells who an anonymous customer is; see Target.
	Alias
)

// String returns the name of the type in the tracking API.
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

// Event is something that a customer did, or that happened to them, as one call of the tracking API
// reports it. It is immutable once it is in the log.
type Event struct {
	Workspace string `json:"Workspace"`
	Customer  string `json:"Customer"` // user id, or "anon:" + anonymous id
	ID        string `json:"ID"`       // message id, unique for a customer within the dedupe window
	Type      Type   `json:"Type"`
	Name      string `json:"Name"` // of a track call; "$identify", "$page", "$screen", "$group" else
	Time      int64  `json:"Time"` // event time, ms; at most log time
	// Historical marks an event that is imported from the past: it changes the customer's profile and
	// counters, and starts no chain.
	Historical bool   `json:"Historical"`
	Properties []byte `json:"Properties"` // JSON object as received, nil when absent
	Traits     []byte `json:"Traits"`     // JSON object as received, nil when absent
	Context    []byte `json:"Context"`    // JSON object as received, nil when absent
}

// AppendTo appends the stored form of e to b: workspace, customer, then the body (AppendBody).
func (e *Event) AppendTo(b []byte) []byte {
	b = wire.AppendString(b, e.Workspace)
	b = wire.AppendString(b, e.Customer)
	return e.AppendBody(b)
}

// AppendBody appends the stored form of e without workspace and customer, for events that are stored
// inside the customer whose they are.
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

// Decode reads the stored form that AppendTo wrote. The JSON fields alias p; everything else is copied.
// It fails with wire.ErrCorrupt where p is not exactly one event.
func Decode(p []byte) (Event, error) { return DecodeShared(p, nil) }

// DecodeShared is Decode for callers that decode many events: it takes workspace and name from names,
// so that all events share one copy of each.
func DecodeShared(p []byte, names Names) (Event, error) {
	return decodeEvent(wire.NewDecoder(p), names)
}

// DecodeAlias is DecodeShared without copying: the strings of the event alias p as well. The caller
// must not write to p any more, and p stays in memory as long as the event does.
func DecodeAlias(p []byte, names Names) (Event, error) {
	return decodeEvent(wire.NewAliasDecoder(p), names)
}

// decodeEvent reads a whole event; d says whether its strings alias the bytes.
func decodeEvent(d *wire.Decoder, names Names) (Event, error) {
	e := Event{Workspace: names.Of(d.Bytes()), Customer: d.String()}
	e.decodeBody(d, names)
	if err := d.Done(); err != nil {
		return Event{}, fmt.Errorf("campaign: event: %w", err)
	}
	return e, nil
}

// decodeBody reads the fields that AppendBody writes. Errors stay in d.
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

// DecodeBody reads an event that is stored in a customer (AppendBody). It returns nil for empty p,
// which stands for "no event", and for bytes that are no event. The JSON fields alias p.
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

// IdentifyName is the name of the events that identify calls make. They change the profile.
const IdentifyName = "$identify"

// Target returns the id of the known customer whom an alias event names as the same person. It is empty
// for events of other types, and where the alias names nobody.
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

// ContextSource is the member of an event's context that names the source whose key the event came
// with. The server sets it where sources are configured; otherwise it is what the client sent and
// proves nothing.
const ContextSource = "source"
