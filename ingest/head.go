package ingest

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"
)

// call is what a path asks for.
type call struct {
	// kind is the type of a tracking call; empty for a batch.
	kind string
	// hook is the segment of the path that names a campaign, still escaped.
	hook string
	// customer is the segment that names a customer, still escaped.
	customer string
	// takes is true for calls that send events: they have a body, and browsers may send them.
	takes bool
}

// calls are the paths that take events: those of Segment's API, the short ones of its
// analytics.js and mobile clients, and that of RudderStack's beacons.
//
//nudge:constant read only
var calls = map[string]call{
	"/v1/track":        {kind: "track", takes: true},
	"/v1/identify":     {kind: "identify", takes: true},
	"/v1/page":         {kind: "page", takes: true},
	"/v1/screen":       {kind: "screen", takes: true},
	"/v1/group":        {kind: "group", takes: true},
	"/v1/alias":        {kind: aliasCall, takes: true},
	"/v1/batch":        {takes: true},
	"/v1/t":            {kind: "track", takes: true},
	"/v1/i":            {kind: "identify", takes: true},
	"/v1/p":            {kind: "page", takes: true},
	"/v1/s":            {kind: "screen", takes: true},
	"/v1/g":            {kind: "group", takes: true},
	"/v1/a":            {kind: aliasCall, takes: true},
	"/v1/b":            {takes: true},
	"/beacon/v1/batch": {takes: true},
}

// pathOf returns the path of a request as the client sent it: not decoded, nothing resolved.
// An id in it may hold escaped slashes and dots.
func pathOf(h *fasthttp.RequestHeader) string {
	target := string(h.RequestURI())
	// The form that proxies send: http://host/path.
	if !strings.HasPrefix(target, "/") {
		if _, rest, ok := strings.Cut(target, "://"); ok {
			_, rest, _ = strings.Cut(rest, "/")
			target = "/" + rest
		}
	}
	path, _, _ := strings.Cut(target, "?")
	path, _, _ = strings.Cut(path, "#")
	// Some clients join a host that ends in a slash with a path that begins with one.
	return "/" + strings.TrimLeft(path, "/")
}

// calledBy returns what a path asks for; false for those that are no call.
func calledBy(path string) (call, bool) {
	if c, ok := calls[path]; ok {
		return c, true
	}
	if segment, ok := strings.CutPrefix(path, "/v1/hooks/"); ok {
		return call{hook: segment, takes: true}, true
	}
	if segment, ok := strings.CutPrefix(path, "/v1/customers/"); ok {
		return call{customer: segment}, true
	}
	return call{}, false
}

// refuse returns what is wrong with the head of a call that takes events, before anything of
// its body is read; nil when nothing is. It is asked up to three times for one head and must
// always answer the same, so it takes nothing from a budget or a rate.
func (s *Server) refuse(h *fasthttp.RequestHeader) *problem {
	if refusal := smuggled(h.RawHeaders()); refusal != nil {
		return refusal
	}
	c, ok := calledBy(pathOf(h))
	// Other requests are answered by route, and need no key for their head.
	if !ok || !c.takes || h.IsOptions() {
		return nil
	}
	if !h.IsPost() {
		return newProblem(fasthttp.StatusMethodNotAllowed, "method", "use POST")
	}
	if refusal := s.foreign(h); refusal != nil {
		return refusal
	}
	length, given := announced(h.RawHeaders())
	from, key := s.keys.sender(h)
	switch {
	// A body without a key in the head is read only up to maxKeyless, so a longer one is
	// refused here.
	case key == keyUnknown, key == keyNone && given && length > maxKeyless:
		return unauthorized()
	case key == keyKnown:
		if refusal := mayCall(c, from.scope); refusal != nil {
			return refusal
		}
	}
	if encoding := string(h.ContentEncoding()); encodingOf(encoding) == encodingUnknown {
		const message = "is not supported; use gzip, zstd or deflate, or send the body as it is"
		return newProblem(fasthttp.StatusUnsupportedMediaType, "content_encoding", "Content-Encoding: "+message,
			FieldError{Path: "Content-Encoding", Code: codeUnknown, Message: message})
	}
	// Parameters such as charset are not looked at; a body that is no UTF-8 is refused later.
	mime, _, _ := bytes.Cut(h.ContentType(), []byte(";"))
	switch string(bytes.ToLower(bytes.TrimSpace(mime))) {
	case "application/json", "":
	// Beacons of browsers, which cannot set a type that needs asking first.
	case "text/plain":
	// Some clients send compressed bodies so.
	case "application/x-www-form-urlencoded", "application/octet-stream":
	default:
		return newProblem(fasthttp.StatusUnsupportedMediaType, "content_type", "send application/json",
			FieldError{Path: "Content-Type", Code: codeUnknown, Message: "is not supported; use application/json"})
	}
	if given && length > MaxBody {
		return tooLarge()
	}
	return nil
}

// withoutBody keeps fasthttp from reading the body of a call whose head is refused: the
// handler then refuses it at once, and closes the connection.
func (s *Server) withoutBody(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
	if s.refuse(h) != nil {
		h.SetContentLength(0)
	}
	return fasthttp.RequestConfig{}
}

// expected answers Expect: 100-continue. A head that is refused gets its refusal in place of
// the invitation to send the body.
func (s *Server) expected(ctx *fasthttp.RequestCtx) int {
	refusal := s.refuse(&ctx.Request.Header)
	if refusal == nil {
		return fasthttp.StatusContinue
	}
	refusal.write(ctx, requestID(ctx))
	s.counters.request(refusal.Status)
	return refusal.Status
}

// announced returns the Content-Length of a head as the client sent it; false when there is
// none. A length that is no number counts as too large; fasthttp refuses it.
func announced(raw []byte) (length int, given bool) {
	const name = "content-length:"
	for len(raw) > 0 {
		var line []byte
		line, raw, _ = bytes.Cut(raw, []byte("\n"))
		if len(line) >= len(name) && strings.EqualFold(string(line[:len(name)]), name) {
			n, err := strconv.ParseUint(string(bytes.TrimSpace(line[len(name):])), 10, 31)
			if err != nil {
				return MaxBody + 1, true // fasthttp refuses what is no number
			}
			return int(n), true
		}
	}
	return 0, false
}

// hasBody reports whether a body follows the head.
func hasBody(h *fasthttp.RequestHeader) bool {
	length, _ := announced(h.RawHeaders())
	return length > 0 || hasHeader(h.RawHeaders(), "transfer-encoding")
}

// tooLarge returns the answer to a body over MaxBody, a 413.
func tooLarge() *problem {
	message := fmt.Sprintf("the body is over %d bytes", MaxBody)
	return newProblem(fasthttp.StatusRequestEntityTooLarge, codeTooLarge, message,
		FieldError{Path: "body", Code: codeTooLarge, Message: message})
}
