package main

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

	"github.com/nudge-engine/nudge/internal/identity"
)

type replayCommand struct {
	URL    string `env:"NUDGE_URL" default:"http://127.0.0.1:8080" help:"Where the server takes events."`
	Key    string `env:"NUDGE_WRITE_KEY" help:"Write key. Default: that of node.json in --data-dir."`
	Data   string `name:"data-dir" env:"NUDGE_DATA_DIR" default:"data" placeholder:"DIR" help:"Data directory of the server, when it runs on this machine."`
	Events string `arg:"" name:"file" help:"Calls, one JSON object a line."`
	Batch  int    `default:"100" help:"Calls a request, 1 to 2500."`
	Now    bool   `help:"Leave the timestamps out: the calls happen as they come."`
}

func (r *replayCommand) Help() string {
	return `Plays recorded calls through the API. A call that the server refuses is printed
with the reason; a request that it cannot take now is tried again.

Example:
  nudge replay examples/shop/events.ndjson`
}

func (r *replayCommand) Run(out console) error {
	if r.Batch < 1 || r.Batch > 2500 {
		return fmt.Errorf("--batch %d: must be from 1 to 2500", r.Batch)
	}
	if r.Key == "" {
		id, err := identity.Read(r.Data)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if r.Key = id.WriteKey; r.Key == "" {
			return errors.New("no write key: set NUDGE_WRITE_KEY, or NUDGE_DATA_DIR to the server's data directory")
		}
	}
	lines, err := readLines(r.Events)
	if err != nil {
		return err
	}
	bar := progress(out, len(lines), "replaying")
	player := &player{url: r.URL, key: r.Key, client: http.DefaultClient}
	refused := 0
	for start := 0; start < len(lines); start += r.Batch {
		batch := lines[start:min(start+r.Batch, len(lines))]
		rejects, err := player.send(context.Background(), batch, r.Now)
		if err != nil {
			return err
		}
		for _, reject := range rejects {
			fmt.Fprintf(out.err, "%s:%d: %s: %s\n", r.Events, start+reject.Index+1, reject.Path, reject.Message)
		}
		refused += len(rejects)
		_ = bar.Add(len(batch))
	}
	_ = bar.Finish()
	fmt.Fprintf(out.out, "%d calls sent, %d taken, %d refused\n", len(lines), len(lines)-refused, refused)
	return nil
}

func readLines(path string) ([]json.RawMessage, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var lines []json.RawMessage
	s := bufio.NewScanner(f)
	s.Buffer(make([]byte, 64<<10), maxLine)
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

// player posts batches of calls.
type player struct {
	url, key string
	client   *http.Client
}

// refusedCall is an item of a batch that the server did not take.
type refusedCall struct {
	Index   int    `json:"index"`
	Path    string `json:"path"`
	Message string `json:"message"`
}

const (
	playAttempts = 60
	playPause    = time.Second
)

// send posts a batch, again while the server is not there or answers 429 or 503.
func (p *player) send(ctx context.Context, calls []json.RawMessage, now bool) ([]refusedCall, error) {
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
	for range playAttempts {
		rejects, again, err := p.post(ctx, body)
		if err == nil || !again {
			return rejects, err
		}
		last = err
		select {
		case <-ctx.Done():
			return nil, errors.Join(last, ctx.Err())
		case <-time.After(playPause):
		}
	}
	return nil, fmt.Errorf("given up after %d attempts: %w", playAttempts, last)
}

func (p *player) post(ctx context.Context, body []byte) (rejects []refusedCall, again bool, err error) {
	limited, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(limited, http.MethodPost, p.url+"/v1/batch", bytes.NewReader(body))
	if err != nil {
		return nil, false, err
	}
	request.SetBasicAuth(p.key, "")
	request.Header.Set("Content-Type", "application/json")
	response, err := p.client.Do(request)
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
			Rejected []refusedCall `json:"rejected"`
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
