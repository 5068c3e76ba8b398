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
	webhookTimeout = 15 * time.Second
	maxReply       = 64 << 10 // bytes of an answer that are read
	maxDetail      = 200      // bytes of what is kept of it
)

// Webhook is a channel that posts each delivery as JSON.
type Webhook struct {
	url    string
	client *http.Client
}

// NewWebhook posts to a url of this machine, as tests and tools do; NewChannel knows what else
// may be reached.
func NewWebhook(url string) *Webhook {
	loopback, err := egress.Parse("127.0.0.0/8,::1")
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return newWebhook(url, loopback)
}

// newWebhook posts to url. Redirects are not followed; connections are kept.
func newWebhook(url string, p *egress.Policy) *Webhook {
	return &Webhook{url: url, client: p.Client(webhookTimeout, workersPerChannel)}
}

// fields is a message as a JSON object in the order written.
type fields []program.Field

func (f fields) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
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

// Send implements Channel: 2xx is success; 408, 425, 429 and 5xx may work later;
// every other answer is final.
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

// judge makes an outcome of an answer. What is kept of it is its status and first line, so that
// the receiver's reason is where people look for it.
func (w *Webhook) judge(response *http.Response, err error) Outcome {
	var refused *egress.RefusedError
	if errors.As(err, &refused) {
		return Outcome{Verdict: output.Permanent, Reason: output.ReasonEgress, Detail: refused.Error()}
	}
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err // without the url, which may hold a token
	}
	if err != nil {
		return Outcome{Verdict: output.Temporary, Detail: w.line(err.Error())}
	}
	body, readErr := io.ReadAll(io.LimitReader(response.Body, maxReply))
	if err := errors.Join(readErr, response.Body.Close()); err != nil && response.StatusCode >= 300 {
		problem := fmt.Sprintf("HTTP %d: %v", response.StatusCode, err)
		return Outcome{Verdict: output.Temporary, Detail: w.line(problem)}
	}
	detail := fmt.Sprintf("HTTP %d", response.StatusCode)
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

// line is the first line of a text that says something, printable, without the secrets of the
// url, which receivers repeat.
func (w *Webhook) line(text string) string {
	for _, secret := range secretsOf(w.url) {
		text = strings.ReplaceAll(text, secret, "***")
	}
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

// secretsOf are the parts of a url that may be secret: user, password, query, and long parts of
// the path, as incoming webhooks of chats have them.
func secretsOf(text string) []string {
	u, err := url.Parse(text)
	if err != nil {
		return nil
	}
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
		if plain, err := url.QueryUnescape(value); err == nil {
			add(plain, shortest)
		}
	}
	for _, part := range strings.Split(u.Path, "/") {
		add(part, long)
	}
	return all
}

// clip shortens a text to so many bytes, at the end of a letter.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

func orEmpty(values []byte) json.RawMessage {
	if values == nil {
		return json.RawMessage("{}")
	}
	return values
}
