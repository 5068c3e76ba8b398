package ingest

import (
	"crypto/sha256"
	"fmt"

	"github.com/valyala/fastjson"
	"golang.org/x/time/rate"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
)

// Source is somebody who sends events with a key of their own, for example a partner, and is
// told apart from the others by it.
type Source struct {
	// Name stands as context.source in each of the source's events, whatever the client
	// wrote there.
	Name      string
	Key       string // the write key
	Workspace string
	// Consent is a category that each call must carry the customer's consent to, as
	// context.consent.categoryPreferences.<category>: true; empty: none. A call without
	// it is refused.
	Consent    string
	RatePerKey float64 // events a second; 0: what holds for all keys
	Scope      Scope   // what the key may do; 0: ScopeWrite
}

// sender is who a write key belongs to, with the state of their limits. It is shared by all
// requests with the key; its fields do not change, and what the pointers lead to is safe for
// concurrent use.
type sender struct {
	// source is empty for the workspace's own key.
	source    string
	workspace string
	consent   string
	// rate is in events a second; 0: no limit, and limit is nil.
	rate  float64
	limit *rate.Limiter // nil: no limit
	scope Scope
	// kept bounds the refused calls of this key that are written to the log.
	kept *rejectsKept
}

// newKeyring returns the keyring of the workspaces' own keys and those of the sources. A key
// may send a whole batch at once even if its rate is lower.
func newKeyring(c *Config) keyring {
	r := keyring{}
	add := func(key string, s sender) {
		if s.rate > 0 {
			s.limit = rate.NewLimiter(rate.Limit(s.rate), max(MaxBatch, int(s.rate)))
		}
		s.kept = new(rejectsKept)
		r[sha256.Sum256([]byte(key))] = &s
	}
	for key, workspace := range c.Keys {
		add(key, sender{workspace: workspace, rate: c.RatePerKey, scope: ScopeWrite})
	}
	for i := range c.Sources {
		s := &c.Sources[i]
		limit := s.RatePerKey
		if limit == 0 {
			limit = c.RatePerKey
		}
		add(s.Key, sender{
			source: s.Name, workspace: s.Workspace, consent: s.Consent, rate: limit, scope: s.Scope.orWrite(),
		})
	}
	return r
}

// unconsented refuses a call that does not carry the consent which its source needs; context
// may be nil.
func (d *decoder) unconsented(context *fastjson.Value) *FieldError {
	category := d.sender.consent
	if category == "" {
		return nil
	}
	if agreed, _ := jsonvalue.YesOrNo(context.Get("consent", "categoryPreferences", category)); agreed {
		return nil
	}
	return &FieldError{
		Path: "context.consent.categoryPreferences." + category, Code: codeConsent,
		Message: fmt.Sprintf("must be true or yes: source %s may send only with consent", d.sender.source),
	}
}

// consented refuses an item without the consent that its source needs. It finds the customer
// first, so that the refusal is kept with them.
func (i *item) consented() *FieldError {
	if i.d.sender.consent == "" {
		return nil
	}
	context := i.v.Get("context")
	if context == nil {
		context = i.context
	}
	wrong := i.d.unconsented(context)
	if wrong != nil {
		// What else is wrong does not matter any more.
		_ = i.identity(new(event.Event))
	}
	return wrong
}

// stamp writes where the events came from into their contexts, in place of what the client
// wrote there. Without sources contexts stay as they came.
func (d *decoder) stamp() {
	if !d.sources {
		return
	}
	var p fastjson.Parser
	var a fastjson.Arena
	for i := range d.events {
		e := &d.events[i]
		context := a.NewObject()
		if len(e.Context) > 0 {
			v, err := p.ParseBytes(e.Context)
			if err != nil {
				panic("BUG: a context that was read is no JSON: " + err.Error())
			}
			context = v
		}
		// A call with the workspace's own key has no source, whatever the client wrote.
		context.Del(event.ContextSource)
		if d.sender.source != "" {
			context.Set(event.ContextSource, a.NewString(d.sender.source))
		}
		// An event without a context stays without one unless it has a source.
		if len(e.Context) > 0 || d.sender.source != "" {
			e.Context = d.keep(context)
		}
		a.Reset()
	}
}

// said returns why a call was refused, for the operator: with its source.
func (d *decoder) said(wrong *FieldError) string {
	if d.sender.source == "" {
		return wrong.Message
	}
	return "source " + d.sender.source + ": " + wrong.Message
}
