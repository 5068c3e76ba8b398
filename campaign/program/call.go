package program

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

func (*Call) isVerb() {}

// Lasts is how long a call may be tried, ms: not longer than the chain waits for it.
func (c *Call) Lasts() int64 {
	if c.Wait {
		return min(c.Request.Expires, c.Timeout)
	}
	return c.Request.Expires
}
