// Package replay plays recorded calls through the API of a server, for `nudge replay` and the
// demo. Calls are sent as any client would send them, with a write key, so the server checks
// them too.
package replay

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"time"

	"github.com/nudge-engine/nudge/internal/clip"
	"github.com/nudge-engine/nudge/ops/history"
)

// ReadLines reads recorded calls, one JSON object a line, into memory; empty lines are left
// out. An error has file and line.
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

// Player posts batches of calls. It is safe for concurrent use if Client is.
type Player struct {
	// URL is where the server takes events, without a path: http://127.0.0.1:8080.
	URL string
	// Key is a write key.
	Key    string
	Client *http.Client
	// Waiting is told why the first attempt at a batch failed, when others follow; nil: nobody is.
	// A server that does not run is waited for, which looks like one that is busy.
	Waiting func(err error)
}

// Refused is an item of a batch that the server did not take; Index is its place in the batch,
// Path the field that is wrong.
type Refused struct {
	Index   int    `json:"index"`
	Path    string `json:"path"`
	Message string `json:"message"`
}

// How often and for how long a batch is sent again, and what is shown of an answer.
const (
	// Sixty attempts with a pause of a second between them last about a minute: long enough
	// for a restart of the server.
	attempts = 60
	pause    = time.Second
	// requestLimit bounds one attempt. It is longer than a batch takes at a server that is
	// busy.
	requestLimit = 2 * time.Minute
	// maxShown is how many bytes are shown of an answer that is not the server's own.
	maxShown = 300
)

// Send posts a batch, again while the server is not there or answers 429 or 503, for about a
// minute. With now it takes the timestamps out of calls, in place, so that the calls happen as
// they come.
//
// It returns the calls that the server refused, which is no error: the others are taken. A
// call that has an id is taken once, also when a batch is sent again because its answer got
// lost; the others may be taken twice.
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
	// A refusal of the whole request, for example for a wrong key, is not tried again.
	for n := range attempts {
		rejects, again, err := p.post(ctx, body)
		if err == nil || !again {
			return rejects, err
		}
		if last = err; n == 0 && p.Waiting != nil {
			p.Waiting(err)
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(last, ctx.Err())
		case <-time.After(pause):
		}
	}
	return nil, fmt.Errorf("given up after %d attempts: %w", attempts, last)
}

// post makes one attempt. again is true when another attempt may succeed.
func (p *Player) post(ctx context.Context, body []byte) (rejects []Refused, again bool, err error) {
	limited, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(limited, http.MethodPost, p.URL+"/v1/batch", bytes.NewReader(body))
	if err != nil {
		return nil, false, err
	}
	// The write key is the user name, as Segment's clients send it.
	request.SetBasicAuth(p.Key, "")
	request.Header.Set("Content-Type", "application/json")
	response, err := p.Client.Do(request)
	// The server is not there, or the connection broke: another attempt may succeed.
	if err != nil {
		return nil, true, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	if err != nil {
		return nil, true, err
	}
	// A batch is answered with 200 also when some of its calls are refused.
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
	return nil, false, p.refused(response, text)
}

// refused returns the error for a request that the server does not take as a whole: what the server
// said, and which flag is probably wrong.
func (p *Player) refused(response *http.Response, text []byte) error {
	var problem struct {
		Detail string `json:"detail"`
	}
	said, hint := string(bytes.TrimSpace(text)), ""
	if json.Unmarshal(text, &problem) == nil && problem.Detail != "" {
		said = problem.Detail
	}
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	switch own := err == nil && kind == "application/problem+json"; {
	// A failure of 500 and above may be that of a proxy before the right address.
	case !own && response.StatusCode/100 == 4:
		hint = fmt.Sprintf("\n%s does not look like the address for events of a server: name that with --url or "+
			"NUDGE_URL (usually http://127.0.0.1:8080)", p.URL)
	case own && response.StatusCode == http.StatusUnauthorized:
		hint = "\nset NUDGE_WRITE_KEY to the write key of the server, or, on its machine, name its data directory " +
			"with --data-dir or NUDGE_DATA_DIR"
	}
	return fmt.Errorf("%s\n(%s)%s", clip.Text(said, maxShown), response.Status, hint)
}

// withoutTimestamp returns a call without the fields that say when it happened; one that is no
// JSON object is left to the server to refuse.
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
