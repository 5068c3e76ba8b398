package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"mime"
	"net/http"
	"strings"

	"github.com/nudge-engine/nudge/internal/hostcheck"
)

// What requests are refused with. Each text says what to do instead.
var (
	errHost = errors.New("this Host is not allowed here: ask a loopback name, or add the name to allowed_hosts " +
		"(NUDGE_ALLOWED_HOSTS)")
	errForeign = errors.New("a page of another origin may not ask here")
	errKey     = errors.New("the admin key is needed: send Authorization: Bearer KEY, where KEY is what " +
		"`nudge key admin` prints")
	errBody = errors.New("the body must be JSON: send Content-Type: application/json")
)

// forProbes reports whether a request is one of load balancers and probes, which know neither
// a name of the server nor a key. What they get says nothing about customers or the machine.
func forProbes(r *http.Request) bool {
	return r.URL.Path == "/healthz" || r.URL.Path == "/readyz" && !r.URL.Query().Has("verbose")
}

// access lets requests through to next that may ask the admin address, and answers the others.
// Pages in a browser may not ask, not even on loopback: they can send requests there, so Host,
// Origin and the type of the body are checked as well as the key.
func (a *API) access(check hostcheck.Check, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := a.mayAsk(check, r); err != nil {
			if err.status == http.StatusUnauthorized {
				w.Header().Set("WWW-Authenticate", "Bearer")
			}
			writeProblem(w, err.status, err.Error())
			return
		}
		next.ServeHTTP(w, r)
	})
}

// mayAsk returns the answer to a request that is refused; nil when it may ask. A page of
// another origin is refused before the key is checked, so that it cannot find out whether a
// key is right.
func (a *API) mayAsk(check hostcheck.Check, r *http.Request) *answer {
	probe := forProbes(r)
	if !probe && !check.Host(r.Host) {
		return &answer{http.StatusForbidden, errHost}
	}
	if hostcheck.Foreign(r.Host, r.Header) {
		return &answer{http.StatusForbidden, errForeign}
	}
	if !probe && r.URL.Path != schemaPath && !a.hasKey(r) {
		return &answer{http.StatusUnauthorized, errKey}
	}
	// Pages can send other types than JSON without asking the server first (CORS). The length
	// is -1 when it is not announced.
	if r.ContentLength != 0 {
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || kind != "application/json" {
			return &answer{http.StatusUnsupportedMediaType, errBody}
		}
	}
	return nil
}

// hasKey reports whether a request has the admin key. It compares hashes in constant time, so
// that neither the time nor the length tells how much of a key was right.
func (a *API) hasKey(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	want, got := sha256.Sum256([]byte(a.config.Key)), sha256.Sum256([]byte(token))
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// withProblems answers requests that mux has no handler for as JSON, like other errors: 404, and
// 405 for a path that takes another method.
func withProblems(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(&unmatched{w, r}, r)
	})
}

// unmatched writes what http.ServeMux answers by itself as a problem, in place of its plain text.
type unmatched struct {
	http.ResponseWriter
	request *http.Request
}

// WriteHeader writes the whole answer. The header Allow is set already when the method is wrong.
func (u *unmatched) WriteHeader(status int) {
	detail := "there is nothing at " + u.request.URL.Path + ": this is the admin address; events go to that of " +
		"http_listen (usually 127.0.0.1:8080)"
	if status == http.StatusMethodNotAllowed {
		detail = u.request.URL.Path + " takes " + u.Header().Get("Allow") + ", not " + u.request.Method
	}
	writeProblem(u.ResponseWriter, status, detail)
}

// Write takes the plain text, which nobody gets.
func (u *unmatched) Write(text []byte) (int, error) { return len(text), nil }

// writeProblem answers an error as JSON with the members of RFC 9457.
func writeProblem(w http.ResponseWriter, status int, detail string) {
	writeJSON(w, status, map[string]any{"title": http.StatusText(status), "status": status, "detail": detail})
}
