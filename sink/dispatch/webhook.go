package dispatch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/sink/dispatch/egress"
)

const (
	webhookTimeout = 15 * time.Second // for a whole exchange
	maxReply       = 64 << 10         // bytes of an answer that are read
	maxDetail      = 200              // bytes of what is kept of an answer
)

// Webhook is a channel that posts each delivery as JSON.
type Webhook struct {
	url    string
	client *http.Client
}

// NewWebhook returns a channel that posts to a url on this machine, for tests and tools.
// NewChannel makes those of definitions, which may reach what the policy allows.
func NewWebhook(url string) *Webhook {
	loopback, err := egress.Parse("127.0.0.0/8,::1")
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return newWebhook(url, loopback)
}

// newWebhook returns a channel that posts to url within a policy. Connections are kept,
// one for each worker of the channel; redirects are not followed.
func newWebhook(url string, p *egress.Policy) *Webhook {
	return &Webhook{url: url, client: p.Client(webhookTimeout, workersPerChannel)}
}

// fields is a message that is encoded as a JSON object whose names are in the order
// written.
type fields []program.Field

// MarshalJSON implements json.Marshaler.
func (f fields) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	// A map would lose the order.
	for i, field := range f {
		if i > 0 {
			b = append(b, ',')
		}
		name, err := json.Marshal(field.Name)
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(field.Source)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, name...), ':'), text...)
	}
	return append(b, '}'), nil
}

// Send implements Channel. A status 2xx is success; 408, 425, 429 and 5xx may work later;
// every other one is final. The idempotency key is sent under both names that receivers
// commonly look for.
func (w *Webhook) Send(ctx context.Context, o *Outgoing) Outcome {
	d := &o.Delivery
	body, err := json.Marshal(struct {
		DeliveryID string          `json:"delivery_id"`
		Workspace  string          `json:"workspace"`
		Campaign   string          `json:"campaign"`
		Version    uint32          `json:"version"`
		Customer   string          `json:"customer"`
		Key        string          `json:"key"`
		Entry      uint32          `json:"entry"`
		Step       string          `json:"step"`
		Channel    string          `json:"channel"`
		TriggerID  string          `json:"trigger_id"`
		At         string          `json:"at"`
		Attempt    uint32          `json:"attempt"`
		Message    fields          `json:"message"`
		Values     json.RawMessage `json:"values"`
	}{
		d.ID.String(), d.Workspace, d.Campaign, d.Version, d.Customer, d.Key, d.Entry, d.Step, d.Channel, d.TriggerID,
		unit.FormatTime(d.At), d.Attempt, o.Message, orEmpty(d.Values),
	})
	if err != nil {
		return Outcome{Verdict: output.Permanent, Detail: err.Error()}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return Outcome{Verdict: output.Permanent, Detail: err.Error()}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "nudge")
	request.Header.Set("Idempotency-Key", d.ID.String())
	request.Header.Set("Webhook-Id", d.ID.String())
	request.Header.Set("Webhook-Timestamp", strconv.FormatInt(d.At/1000, 10))
	return w.judge(w.client.Do(request))
}

// judge turns an answer into an outcome. Its status and first line are kept, so that
// people find the receiver's reason where they look for it.
func (w *Webhook) judge(response *http.Response, err error) Outcome {
	var refused *egress.RefusedError
	if errors.As(err, &refused) {
		return Outcome{Verdict: output.Permanent, Reason: output.ReasonEgress, Detail: refused.Error()}
	}
	var failed *url.Error
	if errors.As(err, &failed) {
		// url.Error would add the url, which may hold a token.
		err = failed.Err
	}
	if err != nil {
		return Outcome{Verdict: output.Temporary, Detail: w.line(err.Error())}
	}
	body, readErr := io.ReadAll(io.LimitReader(response.Body, maxReply))
	// A body that could not be read matters only if it would have said what is wrong.
	if err := errors.Join(readErr, response.Body.Close()); err != nil && response.StatusCode >= 300 {
		problem := fmt.Sprintf("HTTP %d: %v", response.StatusCode, err)
		return Outcome{Verdict: output.Temporary, Detail: w.line(problem)}
	}
	detail := fmt.Sprintf("HTTP %d", response.StatusCode)
	// The body of a redirect is a page for browsers.
	if line := w.line(string(body)); line != "" && response.StatusCode/100 != 3 {
		detail = clip(detail+": "+line, maxDetail)
	}
	switch s := response.StatusCode; {
	case s >= 200 && s < 300:
		return Outcome{Verdict: output.Accepted, Detail: fmt.Sprintf("HTTP %d", s)}
	case s >= 500, s == http.StatusRequestTimeout, s == http.StatusTooEarly, s == http.StatusTooManyRequests:
		return Outcome{Verdict: output.Temporary, Detail: detail}
	case s >= 300 && s < 400:
		detail += ": redirects are not followed; write the url where it leads"
	}
	return Outcome{Verdict: output.Permanent, Detail: detail}
}

// line returns the first line of a text that is not blank, printable, without the secrets
// of the url: receivers repeat the url in their answers.
func (w *Webhook) line(text string) string {
	for _, secret := range secretsOf(w.url) {
		text = strings.ReplaceAll(text, secret, "***")
	}
	// A page may begin with blank lines, and control characters must not reach logs and
	// terminals.
	for line := range strings.Lines(text) {
		line = strings.Map(func(c rune) rune {
			if !unicode.IsPrint(c) || c == utf8.RuneError {
				return ' '
			}
			return c
		}, line)
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			return clip(line, maxDetail)
		}
	}
	return ""
}

// secretsOf returns the parts of a url that may be secret: user, password, values of the
// query, and parts of the path that are as long as the tokens in the urls of chat
// services.
func secretsOf(text string) []string {
	u, err := url.Parse(text)
	if err != nil {
		return nil
	}
	// Shorter texts would blank out ordinary words.
	const shortest, long = 6, 20
	var all []string
	add := func(s string, least int) {
		if len(s) >= least {
			all = append(all, s)
		}
	}
	password, _ := u.User.Password()
	add(password, 1)
	add(u.User.Username(), shortest)
	for _, part := range strings.FieldsFunc(u.RawQuery, func(c rune) bool { return c == '&' }) {
		_, value, _ := strings.Cut(part, "=")
		add(value, shortest)
		// The receiver may repeat the value as it read it.
		if plain, err := url.QueryUnescape(value); err == nil {
			add(plain, shortest)
		}
	}
	for _, part := range strings.Split(u.Path, "/") {
		add(part, long)
	}
	return all
}

// clip shortens a text to at most so many bytes without cutting a letter.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// orEmpty returns values, or {} if there are none.
func orEmpty(values []byte) json.RawMessage {
	if values == nil {
		return json.RawMessage("{}")
	}
	return values
}
