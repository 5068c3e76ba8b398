package ingest

import (
	"fmt"
	"strings"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/pathid"
)

// hook takes a call of a campaign's own endpoint, POST /v1/hooks/{campaign}. The trigger of
// the campaign says how its body becomes an event: which members are the customer, the id and
// the properties. 404 means that no such campaign is in force with a webhook, 422 that the
// body is not as its trigger wants it.
func (s *Server) hook(d *decoder, segment string, root *fastjson.Value) *problem {
	name, err := pathid.Unescape(segment)
	if err != nil {
		return badPath(err)
	}
	var t *program.WebhookTrigger
	// The trigger of the version in force, asked for each call.
	if s.config.Hook != nil {
		t = s.config.Hook(d.workspace, name)
	}
	if t == nil {
		return newProblem(fasthttp.StatusNotFound, "not_found",
			fmt.Sprintf("no campaign %q with a webhook is active", clip(name, 64)))
	}
	// The body of a hook has no context, so a source that needs consent cannot call one.
	e, wrong := event.Event{}, d.unconsented(nil)
	if wrong == nil {
		e, wrong = d.hooked(t, root)
	}
	if wrong != nil {
		return newProblem(fasthttp.StatusUnprocessableEntity, wrong.Code, wrong.Path+": "+wrong.Message, *wrong)
	}
	d.events = append(d.events, e)
	return nil
}

// hooked maps a body to an event by a webhook trigger; its time is now. An event without an id
// gets the one of the request, or a random one.
func (d *decoder) hooked(t *program.WebhookTrigger, body *fastjson.Value) (event.Event, *FieldError) {
	if wrong := d.plain(body); wrong != nil {
		wrong.Path = strings.TrimPrefix(wrong.Path, ".")
		return event.Event{}, wrong
	}
	e, user, anonymous, bad := t.Read(body)
	switch {
	// The trigger says what is missing, malformed or names nobody.
	case bad != nil && bad.Nobody:
		return e, &FieldError{Path: bad.Field, Code: codeNobody, Message: bad.Message}
	case bad != nil && bad.Missing:
		return e, &FieldError{Path: bad.Field, Code: codeMissing, Message: bad.Message}
	case bad != nil:
		return e, &FieldError{Path: bad.Field, Code: codeType, Message: bad.Message}
	case strings.HasPrefix(user, anonymousPrefix):
		return e, &FieldError{
			Path: "userId", Code: codeReserved, Message: `must not begin with "` + anonymousPrefix + `"`,
		}
	case len(e.Properties) > MaxEvent:
		return e, &FieldError{
			Path: "body", Code: codeTooLarge,
			Message: fmt.Sprintf("%d bytes; at most %d are allowed in an event", len(e.Properties), MaxEvent),
		}
	}
	// The sender of a hook is another system, whose clock and ids of customers come in the
	// body.
	e.Workspace, e.Time, e.Customer = d.workspace, d.now, user
	if user == "" {
		e.Customer = anonymousPrefix + anonymous
	}
	if e.ID == "" {
		e.ID = d.fallback
	}
	if e.ID == "" {
		e.ID = d.newID()
	}
	return e, nil
}

// toEverybody reports whether a call without a customer is a broadcast: a track call with a
// name that a campaign in force waits for.
func (i *item) toEverybody() bool {
	kind := i.callKind()
	event := string(i.v.GetStringBytes("event"))
	return kind == "track" && i.d.broadcasts != nil && i.d.broadcasts(i.d.workspace, event)
}
