package faults_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// openLimit is how long a connection may stay that sends too slowly: the read
// timeout of 10 s, and what a busy machine needs.
const openLimit = 20 * time.Second

func authorization() string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(writeKey+":")) + "\r\n"
}

// probe sends batches one after another for a time and returns how long the answers
// took, shortest first; each batch must be acknowledged at once.
func (s *server) probe(limit time.Duration) []time.Duration {
	s.t.Helper()
	client := &http.Client{Timeout: 90 * time.Second}
	defer client.CloseIdleConnections()
	var took []time.Duration
	for began := time.Now(); time.Since(began) < limit; {
		first, sent := s.book.take(), time.Now()
		answer := s.post(s.t.Context(), client, first)
		s.book.note(first, answer)
		if answer != "" {
			s.t.Errorf("an honest batch got %s", answer)
		}
		took = append(took, time.Since(sent))
	}
	slices.Sort(took)
	return took
}

func p99(sorted []time.Duration) time.Duration { return sorted[len(sorted)*99/100] }

// A thousand connections that drip or are silent.
func TestSlowloris(t *testing.T) {
	l := begin(t, "slowloris",
		"with a ReadTimeout of 10 minutes no connection was closed in 20 s.")
	const attackers = 1000
	s := newServer(t, t.TempDir())
	s.start()
	s.ready()
	before := s.probe(10 * time.Second)
	var wg sync.WaitGroup
	var longest, closed atomic.Int64
	for i := range attackers {
		wg.Go(func() {
			open, err := s.drip(i % 3)
			if err != nil {
				t.Errorf("attacker %d, open for %v: %v", i, open, err)
				return
			}
			closed.Add(1)
			for old := longest.Load(); int64(open) > old && !longest.CompareAndSwap(old, int64(open)); {
				old = longest.Load()
			}
		})
	}
	during := s.probe(8 * time.Second)
	wg.Wait()
	found := s.settle(time.Minute)
	s.stop()
	s.verify()
	l.set(fmt.Sprintf("%d connections: a third drips a header, a third a body, a third is silent", attackers), fmt.Sprintf(
		"%d closed by the server, the last after %v; honest p99 %v before, %v during (%.1f times), every batch taken at once; %s; verify ok",
		closed.Load(), time.Duration(longest.Load()).Round(100*time.Millisecond), p99(before).Round(time.Microsecond),
		p99(during).Round(time.Microsecond), float64(p99(during))/float64(p99(before)), found))
}

// drip is one attacker: it sends a byte a second, or nothing, until the server
// closes the connection.
func (s *server) drip(kind int) (open time.Duration, err error) {
	began := time.Now()
	c, err := net.DialTimeout("tcp", s.http, openLimit)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	_ = c.SetDeadline(began.Add(openLimit))
	head := "POST /v1/track HTTP/1.1\r\nHost: x\r\n" + authorization()
	rest := ""
	switch kind {
	case 0:
		rest = "X-Slow: " + strings.Repeat("x", 1000)
	case 1:
		head += "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
		rest = `{"userId":"` + strings.Repeat("x", 989)
	case 2:
		head = ""
	}
	_, err = io.WriteString(c, head)
	done := make(chan error, 1)
	go func() { _, err := io.Copy(io.Discard, c); done <- err }()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for n := 0; ; {
		select {
		case ended := <-done:
			var slow net.Error
			if errors.As(ended, &slow) && slow.Timeout() {
				return time.Since(began), errors.New("the server did not close the connection")
			}
			return time.Since(began), nil
		case <-ticker.C:
			if n < len(rest) && err == nil {
				_, err = io.WriteString(c, rest[n:n+1]) // an error: it is closed, which the reader notices
				n++
			}
		}
	}
}

// raw sends bytes and returns the first lines of all answers, and whether the
// server closed the connection.
func (s *server) raw(text string) (statuses []string, closed bool) {
	s.t.Helper()
	c, err := net.DialTimeout("tcp", s.http, 10*time.Second)
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(3 * time.Second))
	_, _ = io.WriteString(c, text) // the server may close before it has read all
	answer, err := io.ReadAll(c)
	for line := range strings.Lines(string(answer)) {
		// A body ends without a line's end, so that the next answer comes after it.
		for i := strings.Index(line, "HTTP/1.1 "); i >= 0; i = strings.Index(line, "HTTP/1.1 ") {
			statuses = append(statuses, line[i+9:min(i+12, len(line))])
			line = line[i+9:]
		}
	}
	var slow net.Error
	return statuses, !errors.As(err, &slow) || !slow.Timeout()
}

// smuggles are requests that two servers may read in two ways. LEN is replaced by
// the length of what follows the head, NEXT by a whole second request.
func smuggles() map[string]string {
	post := func(version, headers, body string) string {
		return "POST /v1/track " + version + "\r\n" + headers + authorization() + "\r\n" + body
	}
	const v, host, chunked, last = "HTTP/1.1", "Host: x\r\n", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n"
	return map[string]string{
		"length and chunked":        post(v, host+"Content-Length: LEN\r\n"+chunked, last+"NEXT"),
		"chunked and length":        post(v, host+chunked+"Content-Length: 4\r\n", last+"NEXT"),
		"two lengths":               post(v, host+"Content-Length: 0\r\nContent-Length: LEN\r\n", "NEXT"),
		"two lengths, turned":       post(v, host+"Content-Length: LEN\r\nContent-Length: 0\r\n", "NEXT"),
		"a list of lengths":         post(v, host+"Content-Length: 0, LEN\r\n", "NEXT"),
		"length with a sign":        post(v, host+"Content-Length: +0\r\n", "NEXT"),
		"negative length":           post(v, host+"Content-Length: -1\r\n", "NEXT"),
		"length in hexadecimal":     post(v, host+"Content-Length: 0x0\r\n", "NEXT"),
		"two codings":               post(v, host+chunked+"Transfer-Encoding: identity\r\n", last+"NEXT"),
		"chunked twice":             post(v, host+chunked+chunked, last+"NEXT"),
		"an unknown coding":         post(v, host+"Transfer-Encoding: xchunked\r\n", last+"NEXT"),
		"chunked is not the last":   post(v, host+"Transfer-Encoding: chunked, identity\r\n", last+"NEXT"),
		"space before the colon":    post(v, host+"Transfer-Encoding : chunked\r\n", last+"NEXT"),
		"chunked in HTTP/1.0":       post("HTTP/1.0", host+"Connection: keep-alive\r\n"+chunked, last+"NEXT"),
		"bare LF":                   strings.ReplaceAll(post(v, host+"Content-Length: 0\r\n", ""), "\r\n", "\n") + "NEXT",
		"one bare LF":               post(v, "Host: x\nContent-Length: 0\r\n", "NEXT"),
		"bare CR":                   post(v, "Host: x\rX: Content-Length: 9\r\nContent-Length: 0\r\n", "NEXT"),
		"no Host":                   post(v, "Content-Length: 0\r\n", "NEXT"),
		"two Hosts":                 post(v, host+"Host: y\r\nContent-Length: 0\r\n", "NEXT"),
		"folded header":             post(v, host+"Transfer-Encoding:\r\n chunked\r\n", last+"NEXT"),
		"folded header before":      post(v, host+"X-A: a\r\n b\r\nContent-Length: 0\r\n", "NEXT"),
		"LF in a chunk extension":   post(v, host+chunked, "2;\nxx\r\n"+last+"NEXT"),
		"bare LF behind a size":     post(v, host+chunked, "0\n\nNEXT"),
		"chunk size with a sign":    post(v, host+chunked, "+0\r\n\r\nNEXT"),
		"chunk size with 0x":        post(v, host+chunked, "0x0\r\n\r\nNEXT"),
		"chunk size overflows":      post(v, host+chunked, "10000000000000000\r\n\r\nNEXT"),
		"chunk longer than it says": post(v, host+chunked, "1\r\n{}\r\n"+last+"NEXT"),
		"no line behind a chunk":    post(v, host+chunked, "2\r\n{}"+last+"NEXT"),
	}
}

// Requests that hide a second one: one answer, 400, the connection is closed, and the
// second is not applied.
func TestSmuggling(t *testing.T) {
	l := begin(t, "request smuggling",
		"with bare LF and folded header lines the second request was applied.")
	s := newServer(t, t.TempDir())
	s.start()
	s.ready()
	stop := s.load()
	cases := smuggles()
	wrong := 0
	for name, text := range cases {
		body := fmt.Sprintf(`{"userId":"smuggled","event":"Bought","messageId":"smuggled %s"}`, name)
		next := fmt.Sprintf("POST /v1/track HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s", authorization(), len(body), body)
		head, rest, _ := strings.Cut(text, "\r\n\r\n")
		text = strings.ReplaceAll(head, "LEN", strconv.Itoa(len(strings.ReplaceAll(rest, "NEXT", next)))) + text[len(head):]
		statuses, closed := s.raw(strings.Replace(text, "NEXT", next, 1))
		if !slices.Equal(statuses, []string{"400"}) || !closed {
			wrong++
			t.Errorf("%s: answers %v, closed %v; want one 400 and the end", name, statuses, closed)
		}
	}
	s.acknowledged(time.Minute, 10*batch)
	stop(time.Minute)
	found := s.settle(time.Minute)
	if text, err := s.query("SELECT groupArray(message_id) FROM nudge.events WHERE customer = 'smuggled'"); err != nil || text != "[]" {
		t.Errorf("smuggled requests were applied: %s, error %v", text, err)
	}
	s.stop()
	s.verify()
	l.set(fmt.Sprintf("%d raw requests with a second one behind", len(cases)), fmt.Sprintf(
		"%d got one 400 and the end of the connection; none of the second requests was applied; %s; verify ok",
		len(cases)-wrong, found))
}

// oversized are bodies that must be refused, with the answers that are right.
func oversized() map[string]struct {
	body  string
	right []int
} {
	call := func(properties string) string {
		return `{"userId":"bad","event":"Bought","messageId":"bad","properties":` + properties + `}`
	}
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, 100<<20))
	_ = z.Close()
	type request = struct {
		body  string
		right []int
	}
	return map[string]request{
		// 0: the server closes while the client still sends, so that it may not see the answer.
		"a long body":       {call(`{"a":"` + strings.Repeat("x", 8<<20) + `"}`), []int{413, 0}},
		"deep nesting":      {call(strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000)), []int{400}},
		"deep lists":        {strings.Repeat("[", 400_000), []int{400}},
		"a long number":     {call(`{"n":` + strings.Repeat("9", 400_000) + `}`), []int{400, 413}},
		"a huge number":     {call(`{"n":1e999999999}`), []int{400}},
		"wrong UTF-8":       {call("{\"a\":\"\xff\xfe\"}"), []int{400}},
		"duplicate keys":    {`{"userId":"good","userId":"bad",` + call(`{}`)[1:], []int{400}},
		"duplicate in deep": {call(`{"a":1,"a":2}`), []int{400}},
		"too many calls":    {`{"batch":[` + strings.Repeat("{},", 2500) + `{}]}`, []int{413}},
		"a large event":     {call(`{"a":"` + strings.Repeat("x", 40<<10) + `"}`), []int{413}},
		"not JSON":          {call(`{"a":NaN}`), []int{400}},
		"gzip bomb":         {bomb.String(), []int{400, 413, 415}},
	}
}

// Bodies that are too large, too deep or no JSON, by length and in chunks, while good
// events come.
func TestOversize(t *testing.T) {
	l := begin(t, "oversized and malformed bodies",
		"duplicate keys and 1e999999999 got 200 before ingest looked at them.")
	const rounds, most = 20, 64 << 20 // with garbage collected as often as Go does by itself
	s := newServer(t, t.TempDir(), "GOGC=100")
	s.start()
	s.ready()
	stop := s.load()
	s.acknowledged(time.Minute, 4000)
	sent, wrong, right, baseline := 0, sync.Map{}, sync.Map{}, int64(0)
	for round := range rounds {
		if round == 1 { // the first one fills the pools, and good events alone make the heap grow too
			s.acknowledged(time.Minute, 20_000)
			baseline = s.memory("VmHWM")
		}
		var wg sync.WaitGroup
		for name, o := range oversized() {
			for _, chunked := range []bool{false, true} {
				sent++
				wg.Go(func() {
					switch status := s.postRaw(name, o.body, chunked); {
					case slices.Contains(o.right, status):
						right.Store(name, true)
					case status != http.StatusTooManyRequests: // too many bodies were on their way at once
						wrong.Store(name, fmt.Sprintf("status %d, chunked %v; want one of %v", status, chunked, o.right))
					}
				})
			}
		}
		wg.Wait()
	}
	wrong.Range(func(name, why any) bool { t.Errorf("%s: %s", name, why); return true })
	for name := range oversized() {
		if _, found := right.Load(name); !found {
			t.Errorf("%s: each got 429 in %d rounds", name, rounds)
		}
	}
	peak := s.memory("VmHWM")
	if peak-baseline > most {
		t.Errorf("the process grew from %d MiB to %d MiB; at most %d MiB are right", baseline>>20, peak>>20, most>>20)
	}
	for _, length := range []string{"512001", "8000000", "9223372036854775807", "9223372036854775808"} {
		statuses, closed := s.raw("POST /v1/track HTTP/1.1\r\nHost: x\r\n" + authorization() + "Content-Length: " + length + "\r\n\r\n{")
		if len(statuses) != 1 || statuses[0] != "413" && statuses[0] != "400" || !closed {
			t.Errorf("a length of %s: answers %v, closed %v; want one 413 or 400 and the end", length, statuses, closed)
		}
	}
	stop(time.Minute)
	found := s.settle(time.Minute)
	if text, err := s.query("SELECT count() FROM nudge.events WHERE customer IN ('bad', 'good')"); err != nil || text != "0" {
		t.Errorf("%s bad events were applied, error %v", text, err)
	}
	s.stop()
	s.verify()
	l.set(fmt.Sprintf("%d requests of %d kinds, by length and chunked, in %d rounds", sent, len(oversized()), rounds), fmt.Sprintf(
		"each got 400, 413, 415, or 429 where too many came at once (or, at 8 MiB, the end of the connection while it still sent), none was applied; RSS at most %d MiB in the first of them, %d MiB in all; %s; verify ok",
		baseline>>20, peak>>20, found))
}

// postRaw posts a body as it is; the status is 0 where there was no answer.
func (s *server) postRaw(name, body string, chunked bool) int {
	path := "track"
	if strings.HasPrefix(body, `{"batch"`) {
		path = "batch"
	}
	var reader io.Reader = strings.NewReader(body)
	if chunked {
		reader = struct{ io.Reader }{reader}
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.http+"/v1/"+path, reader)
	if err != nil {
		return 0
	}
	request.SetBasicAuth(writeKey, "")
	request.Header.Set("Content-Type", "application/json")
	if strings.HasPrefix(name, "gzip") {
		request.Header.Set("Content-Encoding", "gzip")
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return 0 // closed while the body was sent
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}
