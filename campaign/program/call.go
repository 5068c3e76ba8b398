package program

import (
	"cmp"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/expr"
)

// CallChannel is the channel of the deliveries that call steps make; no campaign sends
// on it and no document defines it.
const CallChannel = "call"

// Call makes an HTTP request. Its texts are those of a message: method, url, body and one
// header.NAME for each header; they are Liquid, and rendered when the request is made.
type Call struct {
	Request Send
	Wait    bool   // the chain rests until the request has succeeded or failed for good
	Timeout int64  // ms that it rests at most
	OnFail  string // where it goes then; empty: the next step
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

func (c *Call) silentTargets(next string) []string { return c.targets(next) }

// Timer implements Verb.
func (c *Call) Timer() Timer {
	return Timer{Kind: ForReply, After: c.Timeout, Early: true, Off: !c.Wait}
}

// onTimer takes it for a failure when no reply came in time.
func (c *Call) onTimer(_ *customer.Chain, next string) string { return cmp.Or(c.OnFail, next) }

// afterFailure concerns a chain that did not wait for the reply.
func (c *Call) afterFailure() string {
	if c.Wait {
		return ""
	}
	return c.OnFail
}

func (c *Call) request() *Send { return &c.Request }

// Makes implements Verb.
func (*Call) Makes() Made { return Made{} }

// Lasts is how long a call may be tried, ms: not longer than the chain waits for it.
func (c *Call) Lasts() int64 {
	if c.Wait {
		return min(c.Request.Expires, c.Timeout)
	}
	return c.Request.Expires
}
