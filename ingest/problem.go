package ingest

import (
	"encoding/json"
	"log/slog"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"
)

// FieldError is one thing that is wrong with a request or an event, for people and programs.
type FieldError struct {
	// Path names the field, for example batch[3].userId.
	Path string `json:"path"`
	// Code is stable; programs may compare it.
	Code string `json:"code"`
	// Message says what is wrong and what would be right.
	Message string `json:"message"`
}

// problem is an error answer in the form of RFC 9457. Code and the codes in Errors are stable,
// texts are not.
type problem struct {
	Type      string       `json:"type"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail,omitempty"`
	Code      string       `json:"code"`
	RequestID string       `json:"request_id"`
	Errors    []FieldError `json:"errors,omitempty"`

	// retryAfter is how many seconds the client should wait; 0: nothing is said.
	retryAfter int
	// closeConn closes the connection after the answer.
	closeConn bool
}

// newProblem returns a problem with a status, a stable code and a detail for people.
func newProblem(status int, code, detail string, errors ...FieldError) *problem {
	return &problem{
		Type: "about:blank", Title: fasthttp.StatusMessage(status), Status: status, Detail: detail,
		Code: code, Errors: errors,
	}
}

// unavailable returns a 503 that asks to come back in a second.
func unavailable(code, detail string) *problem {
	p := newProblem(fasthttp.StatusServiceUnavailable, code, detail)
	p.retryAfter = 1
	return p
}

// write answers with the problem.
func (p *problem) write(ctx *fasthttp.RequestCtx, requestID string) {
	p.RequestID = requestID
	if p.retryAfter > 0 {
		ctx.Response.Header.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if p.Status == fasthttp.StatusUnauthorized {
		ctx.Response.Header.Set("WWW-Authenticate", `Basic realm="nudge"`)
	}
	if p.closeConn {
		ctx.SetConnectionClose()
	}
	body, err := json.Marshal(p)
	if err != nil {
		body = []byte("{}")
	}
	ctx.SetStatusCode(p.Status)
	ctx.SetContentType("application/problem+json")
	ctx.SetBody(body)
}

// unavailable returns a 503 for what keeps the log from taking events. Its text says only what
// kind it is; what happened is in the server's own log, at most once in quiet.
func (s *Server) unavailable(err error) *problem {
	now := time.Now().Unix()
	if last := s.complained.Load(); now-last >= int64(quiet/time.Second) && s.complained.CompareAndSwap(last, now) {
		s.config.Logger.Warn("events are refused", slog.Any("error", err))
	}
	code, detail := codeOf(err), "the log takes no events now"
	switch code {
	case "log_full":
		detail = "there is no room for events now"
	case "disk_full":
		detail = ErrDisk.Error()
	case "busy":
		detail = "too many events at a time"
	case "clock":
		detail = "the server's clock is in doubt"
	case "stopping":
		detail = "the server is stopping"
	}
	return unavailable(code, detail)
}

// quiet is how often at most the server's log says that events are refused: a log that fails
// refuses thousands a second.
const quiet = time.Minute
