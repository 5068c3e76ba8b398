package dispatch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/nudge-engine/nudge/campaign"
)

const (
	webhookTimeout = 15 * time.Second
	maxReply       = 64 << 10 // bytes of an answer that are read
)

// Webhook is a channel that posts each delivery as JSON.
type Webhook struct {
	url    string
	client *http.Client
}

// NewWebhook posts to url. Redirects are not followed; connections are kept.
func NewWebhook(url string) *Webhook {
	return &Webhook{url: url, client: &http.Client{
		Timeout: webhookTimeout,
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			MaxIdleConnsPerHost: workersPerChannel, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: 5 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// fields is a message as a JSON object in the order written.
type fields []campaign.Field

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
		campaign.FormatTime(d.At), d.Attempt, o.Message, orEmpty(d.Values),
	})
	if err != nil {
		return Outcome{Verdict: campaign.Permanent, Detail: err.Error()}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return Outcome{Verdict: campaign.Permanent, Detail: err.Error()}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "nudge")
	request.Header.Set("Idempotency-Key", d.ID.String())
	request.Header.Set("Webhook-Id", d.ID.String())
	request.Header.Set("Webhook-Timestamp", strconv.FormatInt(d.At/1000, 10))
	return w.judge(w.client.Do(request))
}

func (w *Webhook) judge(response *http.Response, err error) Outcome {
	if err != nil {
		return Outcome{Verdict: campaign.Temporary, Detail: err.Error()}
	}
	_, readErr := io.Copy(io.Discard, io.LimitReader(response.Body, maxReply))
	if err := errors.Join(readErr, response.Body.Close()); err != nil && response.StatusCode >= 300 {
		return Outcome{Verdict: campaign.Temporary, Detail: err.Error()}
	}
	detail := fmt.Sprintf("HTTP %d", response.StatusCode)
	switch s := response.StatusCode; {
	case s >= 200 && s < 300:
		return Outcome{Verdict: campaign.Accepted, Detail: detail}
	case s >= 500, s == http.StatusRequestTimeout, s == http.StatusTooEarly, s == http.StatusTooManyRequests:
		return Outcome{Verdict: campaign.Temporary, Detail: detail}
	}
	return Outcome{Verdict: campaign.Permanent, Detail: detail}
}

func orEmpty(values []byte) json.RawMessage {
	if values == nil {
		return json.RawMessage("{}")
	}
	return values
}
