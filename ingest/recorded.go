package ingest

import (
	"fmt"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/program"
)

// Recorded reads recorded calls, one JSON object each, for simulation. It checks them as the
// server does, but the timestamp is the call's time as it stands. A call of a campaign's own
// endpoint has the type "webhook", the campaign and the body. It belongs to one goroutine.
type Recorded struct {
	d decoder
	// hooks are the webhook triggers by campaign.
	hooks map[string]*program.WebhookTrigger
	// users are the known customers read so far: what the engine would know at that place.
	users map[string]bool
}

// Knows tells which calls the campaigns of a workspace wait for besides those of a customer:
// webhooks and broadcasts. Call it before the first Read.
func (r *Recorded) Knows(programs []*program.Program) {
	r.hooks = map[string]*program.WebhookTrigger{}
	broadcasts := map[string]bool{}
	for _, p := range programs {
		if t, is := p.Trigger.(*program.WebhookTrigger); is {
			r.hooks[p.Name] = t
		}
		if t, is := p.Trigger.(*program.BroadcastTrigger); is {
			broadcasts[t.Event] = true
		}
	}
	r.d.broadcasts = func(_, event string) bool { return broadcasts[event] }
}

// NewRecorded returns a reader of the calls of a workspace.
func NewRecorded(workspace string) *Recorded {
	r := &Recorded{d: decoder{workspace: workspace, recorded: true}, users: map[string]bool{}}
	r.d.known = func(_, id string) (bool, error) { return r.users[id], nil }
	return r
}

// Read reads a call; id is its message id when it has none. It returns one event, or two where
// a call says that an anonymous customer is a known one. Their JSON is valid until the next
// Read. The error names the field that is wrong.
func (r *Recorded) Read(line []byte, id string) ([]event.Event, error) {
	root, p := r.d.parse(line)
	if p != nil {
		return nil, fmt.Errorf("%s", p.Detail)
	}
	r.d.arena, r.d.events = r.d.arena[:0], r.d.events[:0]
	if string(root.GetStringBytes("type")) == "webhook" {
		e, err := r.webhook(root, id)
		return []event.Event{e}, err
	}
	i := item{d: &r.d, v: root, fallback: id}
	e, wrong := i.event()
	if wrong != nil {
		return nil, fmt.Errorf("%s: %s", wrong.Path, wrong.Message)
	}
	// As the engine would know them from here on.
	if !customer.Anonymous(e.Customer) {
		r.users[e.Customer] = true
	}
	r.d.add(&i, e)
	return r.d.events, nil
}

// webhook reads a recorded call of a campaign's own endpoint.
func (r *Recorded) webhook(root *fastjson.Value, id string) (event.Event, error) {
	name := string(root.GetStringBytes("campaign"))
	t := r.hooks[name]
	if t == nil {
		return event.Event{}, fmt.Errorf("campaign: no campaign %q with a webhook", name)
	}
	at, given, wrong := instant("timestamp", root.Get("timestamp"))
	if wrong == nil && !given {
		wrong = &FieldError{Path: "timestamp", Message: "is needed"}
	}
	if body := root.Get("body"); wrong == nil && body != nil && body.Type() == fastjson.TypeObject {
		r.d.now, r.d.fallback = at, id
		e, wrong := r.d.hooked(t, body)
		if wrong != nil {
			return event.Event{}, fmt.Errorf("body: %s: %s", wrong.Path, wrong.Message)
		}
		return e, nil
	}
	if wrong == nil {
		wrong = &FieldError{Path: "body", Message: "an object is needed"}
	}
	return event.Event{}, fmt.Errorf("%s: %s", wrong.Path, wrong.Message)
}
