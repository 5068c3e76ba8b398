package ingest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"
)

// Scope says what a key may do: one or several of the scopes below, added up. 0 stands for
// ScopeWrite in a Source.
type Scope uint8

// The scopes of keys. A key of a web page or an app is known to everybody who uses it:
// ScopeWrite is all that it should have.
const (
	ScopeWrite     Scope = 1 << iota // send events of customers
	ScopeBroadcast                   // send events that are for all customers
	ScopeHook                        // call the endpoints of webhook triggers
	ScopeRead                        // read customers
)

// scopeWords are the scopes as the sources file writes them, in the order of their bits.
//
//nudge:constant read only
var scopeWords = []string{"write", "broadcast", "hook", "read"}

// ParseScope adds up scopes by their words; without any it is ScopeWrite. ScopeRead does not
// go with others: a key that may do both would be a key with which customers are read from
// wherever events are sent.
func ParseScope(words []string) (Scope, error) {
	var s Scope
	for _, word := range words {
		at := slices.Index(scopeWords, word)
		if at < 0 {
			return 0, fmt.Errorf("%q must be write (events of customers), broadcast (events for all customers), "+
				"hook (calls of webhook triggers) or read (read customers), or a list of these", word)
		}
		s |= 1 << at
	}
	if s.has(ScopeRead) && s != ScopeRead {
		return 0, fmt.Errorf("%s: a key that reads customers may do nothing else; make two sources of it", s)
	}
	return s.orWrite(), nil
}

// String returns the words of the scopes, for messages.
func (s Scope) String() string {
	var words []string
	for i, word := range scopeWords {
		if s.has(1 << i) {
			words = append(words, word)
		}
	}
	return strings.Join(words, ", ")
}

// has reports whether s has one of some scopes.
func (s Scope) has(some Scope) bool { return s&some != 0 }

// orWrite returns s, or ScopeWrite for 0.
func (s Scope) orWrite() Scope {
	if s == 0 {
		return ScopeWrite
	}
	return s
}

// lacks refuses what a key may not do for want of a scope, and says how to get a key that may.
func (s Scope) lacks(needed Scope, what string) *FieldError {
	return &FieldError{
		Path: "Authorization", Code: codeForbidden,
		Message: fmt.Sprintf("%s needs a key of scope %s, and this one's is %s; give a source in the file of "+
			"NUDGE_SOURCES_FILE `scope: %s`, and keep its key out of pages and apps", what, needed, s, needed),
	}
}

// mayCall refuses a call whose key has no scope for its path; nil when it has. A path that
// takes tracking calls is open to keys that may only broadcast: maySend looks at each event.
func mayCall(c call, s Scope) *problem {
	var wrong *FieldError
	switch {
	case s == ScopeRead:
		return newProblem(fasthttp.StatusForbidden, codeForbidden,
			"a key of scope read may not send events; use a write key",
			FieldError{Path: "Authorization", Code: codeForbidden, Message: "the key's scope is read"})
	// A hook is called with its own scope, since the endpoint is as a rule in the hands of
	// another system.
	case c.hook != "" && !s.has(ScopeHook):
		wrong = s.lacks(ScopeHook, "calling a webhook")
	case c.hook == "" && !s.has(ScopeWrite|ScopeBroadcast):
		wrong = s.lacks(ScopeWrite, "sending an event")
	default:
		return nil
	}
	return newProblem(fasthttp.StatusForbidden, wrong.Code, wrong.Message, *wrong)
}

// maySend refuses an event that the request's key has no scope for; customer is empty for a
// broadcast. Recorded calls have no key, and may be anything.
func (d *decoder) maySend(customer string) *FieldError {
	scope := d.sender.scope
	switch {
	case d.recorded:
	case customer == "" && !scope.has(ScopeBroadcast):
		return scope.lacks(ScopeBroadcast, "starting a broadcast")
	case customer != "" && !scope.has(ScopeWrite):
		return scope.lacks(ScopeWrite, "sending an event of a customer")
	}
	return nil
}
