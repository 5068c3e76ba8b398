// Package replay plays recorded calls through the API of a server.
package replay

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/nudge-engine/nudge/ops/history"
)

// ReadLines reads recorded calls, one JSON object a line. An error has the line.
func ReadLines(path string) ([]json.RawMessage, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var lines []json.RawMessage
	s := bufio.NewScanner(f)
	s.Buffer(make([]byte, 64<<10), history.MaxLine)
	for n := 1; s.Scan(); n++ {
		text := bytes.TrimSpace(s.Bytes())
		if len(text) == 0 {
			continue
		}
		if !json.Valid(text) {
			return nil, fmt.Errorf("%s:%d: not valid JSON", path, n)
		}
		lines = append(lines, bytes.Clone(text))
	}
	return lines, s.Err()
}

// Player posts batches of calls.
type Player struct {
	URL    string // of the address for events
	Key    string // a write key
	Client *http.Client
}

// Refused is an item of a batch that the server did not take.
type Refused struct {
	Index   int    `json:"index"`
	Path    string `json:"path"`
	Message string `json:"message"`
}

const (
	attempts     = 60
	pause        = time.Second
	requestLimit = 2 * time.Minute
)

// Send posts a batch, again while the server is not there or answers 429 or 503, for a minute;
// now leaves the timestamps out, so that the calls happen as they come. It returns the calls that
// the server did not take.
func (p *Player) Send(ctx context.Context, calls []json.RawMessage, now bool) ([]Refused, error) {
	if now {
		for i := range calls {
			calls[i] = withoutTimestamp(calls[i])
		}
	}
	body, err := json.Marshal(map[string]any{"batch": calls})
	if err != nil {
		return nil, err
	}
	var last error
	for range attempts {
		rejects, again, err := p.post(ctx, body)
		if err == nil || !again {
			return rejects, err
		}
		last = err
		select {
		case <-ctx.Done():
			return nil, errors.Join(last, ctx.Err())
		case <-time.After(pause):
		}
	}
	return nil, fmt.Errorf("given up after %d attempts: %w", attempts, last)
}

func (p *Player) post(ctx context.Context, body []byte) (rejects []Refused, again bool, err error) {
	limited, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(limited, http.MethodPost, p.URL+"/v1/batch", bytes.NewReader(body))
	if err != nil {
		return nil, false, err
	}
	request.SetBasicAuth(p.Key, "")
	request.Header.Set("Content-Type", "application/json")
	response, err := p.Client.Do(request)
	if err != nil {
		return nil, true, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	if err != nil {
		return nil, true, err
	}
	switch response.StatusCode {
	case http.StatusOK:
		var answer struct {
			Rejected []Refused `json:"rejected"`
		}
		err := json.Unmarshal(text, &answer)
		return answer.Rejected, false, err
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return nil, true, fmt.Errorf("%s: %s", response.Status, bytes.TrimSpace(text))
	}
	return nil, false, fmt.Errorf("%s: %s", response.Status, bytes.TrimSpace(text))
}

func withoutTimestamp(call json.RawMessage) json.RawMessage {
	fields := map[string]json.RawMessage{}
	if json.Unmarshal(call, &fields) != nil {
		return call
	}
	delete(fields, "timestamp")
	delete(fields, "originalTimestamp")
	text, err := json.Marshal(fields)
	if err != nil {
		return call
	}
	return text
}
