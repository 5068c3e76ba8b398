package ingest

import (
	"slices"

	"github.com/valyala/fasthttp"
)

// What browsers may send with calls that take events. The star is every header but
// Authorization, in browsers since 2022: clients have headers of their own.
const (
	corsHeaders = "Authorization, Content-Type, Content-Encoding, Idempotency-Key, AnonymousId, X-Request-Id, " +
		"X-Retry-Count, *"
	corsExpose = "Retry-After, X-Request-Id"
	// corsMaxAge is for how many seconds a browser need not ask again; browsers bound it to
	// two hours.
	corsMaxAge = "7200"
)

// AnyOrigin in Config.Origins lets every web page send events.
const AnyOrigin = "*"

// origin returns the value of Access-Control-Allow-Origin; empty when the request's origin is
// not allowed or there is none to name.
func (s *Server) origin(h *fasthttp.RequestHeader) string {
	if slices.Contains(s.config.Origins, AnyOrigin) {
		return AnyOrigin
	}
	if given := string(h.Peek("Origin")); slices.Contains(s.config.Origins, given) {
		return given
	}
	return ""
}

// foreign refuses calls from web pages of other origins than those allowed. Without it a page
// could still send, and only not read the answer.
func (s *Server) foreign(h *fasthttp.RequestHeader) *problem {
	if len(h.Peek("Origin")) == 0 || s.origin(h) != "" {
		return nil
	}
	return newProblem(fasthttp.StatusForbidden, "origin", "pages of this origin may not send events",
		FieldError{Path: "Origin", Code: codeUnknown, Message: "is not allowed; see NUDGE_CORS_ORIGINS"})
}

// share lets a page read the answer of a call that takes events. Credentials are never
// allowed: the write key is all there is. Where the answer depends on the origin, Vary keeps
// caches from giving it to another one.
func (s *Server) share(ctx *fasthttp.RequestCtx) {
	h := &ctx.Response.Header
	allowed := s.origin(&ctx.Request.Header)
	if allowed != AnyOrigin {
		h.Add("Vary", "Origin")
	}
	// The browser then keeps the answer from the page.
	if allowed == "" {
		return
	}
	h.Set("Access-Control-Allow-Origin", allowed)
	h.Set("Access-Control-Expose-Headers", corsExpose)
	if ctx.IsOptions() {
		h.Set("Access-Control-Allow-Methods", "POST")
		h.Set("Access-Control-Allow-Headers", corsHeaders)
		h.Set("Access-Control-Max-Age", corsMaxAge)
	}
}
