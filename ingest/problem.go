package ingest

import (
	"encoding/json"
	"strconv"

	"github.com/valyala/fasthttp"
)

// FieldError is one thing wrong with a request or an event.
type FieldError struct {
	Path    string `json:"path"` // of the field, for example batch[3].userId
	Code    string `json:"code"` // stable, for programs
	Message string `json:"message"`
}

// problem is an RFC 9457 answer.
type problem struct {
	Type      string       `json:"type"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail,omitempty"`
	Code      string       `json:"code"`
	RequestID string       `json:"request_id"`
	Errors    []FieldError `json:"errors,omitempty"`

	retryAfter int // seconds; 0: none
	closeConn  bool
}

func newProblem(status int, code, detail string, errors ...FieldError) *problem {
	return &problem{
		Type: "about:blank", Title: fasthttp.StatusMessage(status), Status: status, Detail: detail,
		Code: code, Errors: errors,
	}
}

// unavailable is a 503 that asks to come back.
func unavailable(code, detail string) *problem {
	p := newProblem(fasthttp.StatusServiceUnavailable, code, detail)
	p.retryAfter = 1
	return p
}

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
