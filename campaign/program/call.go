package program

import (
	"cmp"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/expr"
)

// CallChannel is the channel of the deliveries that call steps make; no campaign sends
// on it and no document defines it.
const CallChannel = "call"

// Call makes an HTTP request. It goes the way of a delivery, with its retries and its result, on
// the channel CallChannel.
type Call struct {
	// Request has the request as the fields of a message: method, url, body and one header.NAME for
	// each header. They are Liquid, and rendered when the request is made.
	Request Send
	// Wait makes the chain stay at the step until the request has succeeded or failed for good. The
	// reply is chain.reply then.
	Wait bool
	// Timeout is how long it stays at most, ms; used with Wait only.
	Timeout int64
	// OnFail is the step that a failure leads to, also the end of the timeout; empty: the next
	// step.
	OnFail string
}

// Word implements Verb.
func (*Call) Word() string { return "call" }

func (*Call) exprs(func(*expr.Expr)) {}

func (c *Call) targets(next string) []string {
	if c.OnFail == "" {
		return []string{next}
	}
	return []string{next, c.OnFail}
}

// silentTargets are all targets: a request can fail whatever the customer does.
func (c *Call) silentTargets(next string) []string { return c.targets(next) }

// Timer implements Verb.
func (c *Call) Timer() Timer {
	return Timer{Kind: ForReply, After: c.Timeout, Early: true, Off: !c.Wait}
}

// onTimer takes it for a failure when no reply came in time.
func (c *Call) onTimer(_ *customer.Chain, next string) string { return cmp.Or(c.OnFail, next) }

// afterFailure moves a chain that did not wait for the reply; one that waits goes on when its reply
// comes.
func (c *Call) afterFailure() string {
	if c.Wait {
		return ""
	}
	return c.OnFail
}

func (c *Call) request() *Send { return &c.Request }

// Makes implements Verb.
func (*Call) Makes() Made { return Made{} }

// Lasts returns how long the request may be tried, ms: not longer than the chain waits for it,
// since the chain has gone on as after a failure then.
func (c *Call) Lasts() int64 {
	if c.Wait {
		return min(c.Request.Expires, c.Timeout)
	}
	return c.Request.Expires
}
