package ingest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/valyala/fasthttp"
)

// bytesPerEvent is how many bytes of a body count as an event for the rate of a key, when that
// is more than the calls in it. Without it a key could send bodies of 500 KiB with one call
// each at the full rate.
const bytesPerEvent = 4 << 10

// take answers a call that sends events, whose head was accepted. The steps:
//
//  1. charge the key for the announced size, so that a sender over its rate is refused before
//     the body is read;
//  2. read and decompress the body within its budgets;
//  3. parse it, find the key if it is in the body, and check every field;
//  4. charge what it costs beyond step 1, refused calls too;
//  5. write what was accepted to the log, wait, and answer.
func (s *Server) take(ctx *fasthttp.RequestCtx, c call) *problem {
	h := &ctx.Request.Header
	// Body and parsed values are charged to the address of the connection; without a key in
	// the head to the smaller budgets.
	from, state := s.keys.sender(h)
	held := holding{of: s.bodies, address: ctx.RemoteIP().String()}
	tree := holding{of: s.trees, address: held.address}
	limit, charged := MaxBody, 0
	if state == keyNone {
		held.of, tree.of, limit = s.keyless, s.keylessTrees, maxKeyless
	} else if length, given := announced(h.RawHeaders()); given {
		charged = eventsOf(length)
		if p := from.charge(charged); p != nil {
			discard(ctx)
			return p
		}
	}
	fallback, refusal := idempotencyKey(ctx)
	if refusal != nil {
		return refusal
	}
	// The clock is asked before the body is read, so that the time of receipt is the time at
	// which the request came.
	now, err := s.config.Clock()
	if err != nil {
		// A known sender comes back after the pause that the answer asks for, so the answer
		// must reach it.
		if from != nil {
			discard(ctx)
		}
		return s.unavailable(err)
	}
	d, ok := s.decoders.Get().(*decoder)
	if !ok {
		panic("BUG: the pool of decoders holds something else")
	}
	defer s.decoders.Put(d)
	defer held.release()
	body, refusal := s.read(ctx, d, &held, limit)
	if refusal != nil {
		return refusal
	}
	d.reset()
	d.now, d.fallback = now, fallback
	from, refusal = s.understand(d, c, body, from, &tree)
	if from == nil {
		return refusal
	}
	// What is refused costs as much as what is taken.
	cost := max(1, d.calls()+len(d.unsaid)+len(d.rejects), eventsOf(len(body)))
	if p := from.charge(cost - charged); p != nil {
		return p
	}
	switch {
	case refusal != nil:
		s.counters.rejected.Inc()
		return refusal
	case len(d.rejects) > 0 && ctx.QueryArgs().GetBool("strict"):
		return strictRefusal(d.rejects)
	}
	// Sources are written into contexts last, when no client can change them any more.
	d.stamp()
	return s.store(ctx, d)
}

// discard reads the rest of a body that is not used, without keeping it, for a sender who is
// to come back: a connection that is closed with bytes unread is reset, and the answer with
// its Retry-After can be lost.
func discard(ctx *fasthttp.RequestCtx) {
	stream := ctx.RequestBodyStream()
	if stream == nil {
		return
	}
	if _, err := io.CopyN(io.Discard, stream, MaxBody+1); errors.Is(err, io.EOF) {
		// Nothing of this request is left on the connection, so it can be used again.
		ctx.Response.Header.ResetConnectionClose()
	}
}

// understand reads the calls of a body into d and returns whose key they have: from, or, when
// that is nil, the owner of the key in the body; nil when nobody has it. The parsed values are
// given up before it returns, because writing to the log takes longer, and their memory is
// what others wait for.
func (s *Server) understand(d *decoder, c call, body []byte, from *sender, tree *holding) (*sender, *problem) {
	defer tree.release()
	defer d.forget()
	root, refusal := s.parse(d, body, tree)
	if from == nil {
		if refusal != nil && refusal.Status != fasthttp.StatusTooManyRequests &&
			refusal.Status != fasthttp.StatusServiceUnavailable {
			// A client without a key learns nothing more about the body. That there is no room
			// is not about the body.
			refusal = unauthorized()
		}
		if refusal == nil {
			from, refusal = s.keys.inBody(c, root)
		}
		if refusal != nil {
			return nil, refusal
		}
	}
	d.sender, d.workspace = *from, from.workspace
	d.broadcasts, d.known, d.sources = s.config.Broadcasts, s.config.Known, s.sources
	switch {
	case refusal != nil:
	case c.hook != "":
		refusal = s.hook(d, c.hook, root)
	default:
		refusal = d.decode(c.kind, root)
	}
	return from, refusal
}

// eventsOf returns how many events so many bytes count as, at least.
func eventsOf(bytes int) int { return (bytes + bytesPerEvent - 1) / bytesPerEvent }

// charge counts n events for the rate of the key. It returns a 429 with the time after which
// so many are allowed again, when the rate is used up.
func (f *sender) charge(n int) *problem {
	if n <= 0 || f.limit == nil {
		return nil
	}
	now := time.Now()
	if f.limit.AllowN(now, n) {
		return nil
	}
	p := newProblem(fasthttp.StatusTooManyRequests, "rate_limited",
		fmt.Sprintf("over %g events a second for this key", f.rate))
	// Until the bucket has as many tokens as the request needs, at most as many as it can
	// hold.
	wait := math.Ceil((float64(min(n, f.limit.Burst())) - f.limit.TokensAt(now)) / f.rate)
	p.retryAfter = int(min(max(wait, 1), 3600))
	return p
}

// kept returns the refused calls that are written to the log for the operator, as far as there
// is room for them in this minute; the rest is only counted.
func (s *Server) kept(d *decoder) []rejected {
	all, n := d.rejects, 0
	if len(d.unsaid) > 0 {
		all = slices.Concat(d.unsaid, d.rejects)
	}
	for n < len(all) && d.sender.kept.room(d.now, len(all[n].record.Raw)) {
		n++
	}
	s.counters.unkept.Add(len(all) - n)
	return all[:n]
}

// idempotencyKey returns the header that gives a message id to a single call without one;
// empty when there is none. A key that could not be an id is refused.
func idempotencyKey(ctx *fasthttp.RequestCtx) (string, *problem) {
	key := string(ctx.Request.Header.Peek("Idempotency-Key"))
	if len(key) <= maxName && utf8.ValidString(key) && strings.IndexFunc(key, unprintable) < 0 {
		return key, nil
	}
	const message = "must be at most 255 bytes of printable UTF-8 text"
	return "", newProblem(fasthttp.StatusBadRequest, codeFormat, "Idempotency-Key: "+message,
		FieldError{Path: "Idempotency-Key", Code: codeFormat, Message: message})
}

// unprintable reports whether a rune is no letter, mark, number, punctuation, symbol or space.
func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// store publishes what was decoded, waits until it is durable, and answers with the calls that
// were refused.
func (s *Server) store(ctx *fasthttp.RequestCtx, d *decoder) *problem {
	r, ok := s.encoders.Get().(*encoded)
	if !ok {
		panic("BUG: the pool of encoders holds something else")
	}
	defer s.encoders.Put(r)
	if err := r.fill(d.events, s.kept(d)); err != nil {
		return newProblem(fasthttp.StatusInternalServerError, "internal", err.Error())
	}
	if p := s.publish(r); p != nil {
		s.counters.unavailable.Add(d.calls())
		return p
	}
	s.counters.accepted.Add(d.calls())
	s.counters.rejected.Add(len(d.rejects) + len(d.unsaid))
	// An empty list is [] in JSON, and not null.
	if d.rejects == nil {
		d.rejects = []rejected{}
	}
	body, err := json.Marshal(struct {
		Success  bool       `json:"success"`
		Accepted int        `json:"accepted"`
		Rejected []rejected `json:"rejected"`
	}{true, d.calls() + len(d.unsaid), d.rejects})
	if err != nil {
		return newProblem(fasthttp.StatusInternalServerError, "internal", err.Error())
	}
	ctx.SetContentType("application/json")
	ctx.SetBody(body)
	return nil
}

// strictRefusal is the answer to a batch with strict=1 of which calls are wrong: none is
// taken.
func strictRefusal(rejects []rejected) *problem {
	errs := make([]FieldError, 0, len(rejects))
	for _, r := range rejects {
		e := r.FieldError
		e.Path = fmt.Sprintf("batch[%d].%s", r.Index, e.Path)
		errs = append(errs, e)
	}
	return newProblem(fasthttp.StatusUnprocessableEntity, "rejected",
		fmt.Sprintf("%d calls are wrong; with strict=1 nothing was taken", len(rejects)), errs...)
}
