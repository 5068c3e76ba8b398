package ingest

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"
)

// call is what a path stands for.
type call struct {
	kind     string // of a tracking call; empty for a batch
	hook     string // the segment that names a campaign
	customer string // the segment that names a customer
	takes    bool   // events: it has a body, and browsers may send it
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

// pathOf is the path of a request as the client sent it: not decoded, nothing resolved.
func pathOf(h *fasthttp.RequestHeader) string {
	target := string(h.RequestURI())
	if !strings.HasPrefix(target, "/") { // a proxy's form, http://host/path
		if _, rest, ok := strings.Cut(target, "://"); ok {
			_, rest, _ = strings.Cut(rest, "/")
			target = "/" + rest
		}
	}
	path, _, _ := strings.Cut(target, "?")
	path, _, _ = strings.Cut(path, "#")
	return "/" + strings.TrimLeft(path, "/") // some clients join a host that ends in a slash
}

// calledBy is what a path stands for; false for those that are no call.
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

// refuse says what is wrong with the head of a call that takes events, before anything of
// its body is read. For one head it always says the same.
func (s *Server) refuse(h *fasthttp.RequestHeader) *problem {
	if refusal := smuggled(h.RawHeaders()); refusal != nil {
		return refusal
	}
	c, ok := calledBy(pathOf(h))
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
	mime, _, _ := bytes.Cut(h.ContentType(), []byte(";"))
	switch string(bytes.ToLower(bytes.TrimSpace(mime))) {
	case "application/json", "":
	case "text/plain": // browsers' beacons
	case "application/x-www-form-urlencoded", "application/octet-stream": // compressed bodies of some clients
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

// expected answers Expect: 100-continue. A refused head gets its refusal instead.
func (s *Server) expected(ctx *fasthttp.RequestCtx) int {
	refusal := s.refuse(&ctx.Request.Header)
	if refusal == nil {
		return fasthttp.StatusContinue
	}
	refusal.write(ctx, requestID(ctx))
	s.counters.request(refusal.Status)
	return refusal.Status
}

// announced is the Content-Length of a head as the client sent it; false when there is none.
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

// hasBody says whether a body follows the head.
func hasBody(h *fasthttp.RequestHeader) bool {
	length, _ := announced(h.RawHeaders())
	return length > 0 || hasHeader(h.RawHeaders(), "transfer-encoding")
}

func tooLarge() *problem {
	message := fmt.Sprintf("the body is over %d bytes", MaxBody)
	return newProblem(fasthttp.StatusRequestEntityTooLarge, codeTooLarge, message,
		FieldError{Path: "body", Code: codeTooLarge, Message: message})
}
