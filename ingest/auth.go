package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fastjson"
)

// keyring has the senders by the SHA-256 of their keys, so that how long a look-up takes says
// nothing about a key. It does not change while the server runs.
type keyring map[[sha256.Size]byte]*sender

// keyState says what a request's head says about its key.
type keyState uint8

const (
	// keyNone: the head has no key, and the body may have one.
	keyNone keyState = iota
	// keyUnknown is a key that nobody has.
	keyUnknown
	keyKnown
)

// sender returns whose key the head of a request has: as the user name of Basic authorization,
// as a Bearer token, or as writeKey in the query, where browsers' beacons have no headers. The
// sender is nil unless the state is keyKnown.
func (r keyring) sender(h *fasthttp.RequestHeader) (*sender, keyState) {
	header := h.Peek("Authorization")
	// A key in the query lands in the logs of proxies; it counts only when there is no header.
	if len(header) == 0 {
		_, query, _ := bytes.Cut(h.RequestURI(), []byte("?"))
		var args fasthttp.Args
		args.ParseBytes(query)
		if !args.Has("writeKey") {
			return nil, keyNone
		}
		return r.owner(args.Peek("writeKey"))
	}
	scheme, rest, _ := bytes.Cut(header, []byte(" "))
	switch {
	case bytes.EqualFold(scheme, []byte("basic")):
		decoded, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(rest)))
		if err != nil {
			return nil, keyUnknown
		}
		// The password of Basic authorization is left empty by clients, and not looked at.
		key, _, _ := bytes.Cut(decoded, []byte(":"))
		return r.owner(key)
	case bytes.EqualFold(scheme, []byte("bearer")):
		return r.owner(bytes.TrimSpace(rest))
	}
	return nil, keyUnknown
}

// owner returns whose key it is. An empty key is nobody's.
func (r keyring) owner(key []byte) (*sender, keyState) {
	if of, ok := r[sha256.Sum256(key)]; ok && len(key) > 0 {
		return of, keyKnown
	}
	return nil, keyUnknown
}

// inBody returns whose key the body of a call has, as writeKey, where browsers put it. Its
// scope is checked here, since the head said nothing about it.
func (r keyring) inBody(c call, root *fastjson.Value) (*sender, *problem) {
	of, state := r.owner(root.GetStringBytes("writeKey"))
	if state != keyKnown {
		return nil, unauthorized()
	}
	if refusal := mayCall(c, of.scope); refusal != nil {
		return nil, refusal
	}
	return of, nil
}

// unauthorized returns the answer to a missing or unknown key, a 401. It does not say which of
// the two it is.
func unauthorized() *problem {
	return newProblem(fasthttp.StatusUnauthorized, "unauthorized",
		"a write key is needed: as the user name of Basic authorization, as a Bearer token, or, in bodies of up to "+
			"64 KiB, as writeKey",
		FieldError{Path: "Authorization", Code: "unauthorized", Message: "missing or unknown write key"})
}

// hasHeader reports whether raw header lines have one of that name (lower case). It reads the
// raw lines because the parser resolves some headers away.
func hasHeader(raw []byte, name string) bool {
	for len(raw) > 0 {
		var line []byte
		line, raw, _ = bytes.Cut(raw, []byte("\n"))
		if len(line) > len(name) && line[len(name)] == ':' && strings.EqualFold(string(line[:len(name)]), name) {
			return true
		}
	}
	return false
}

// smuggled refuses heads that a proxy before this server may read in another way, so that the
// two disagree about where the next request begins (request smuggling). Such a connection is
// closed.
func smuggled(raw []byte) *problem {
	code, why := "", ""
	if hasHeader(raw, "transfer-encoding") && hasHeader(raw, "content-length") {
		code, why = "ambiguous_length", "Content-Length and Transfer-Encoding exclude each other"
	}
	for rest := raw; len(rest) > 0 && code == ""; {
		var line []byte
		var ended bool
		line, rest, ended = bytes.Cut(rest, []byte("\n"))
		switch {
		case ended && !bytes.HasSuffix(line, []byte("\r")):
			code, why = "bad_request", "a header line must end with CR LF"
		case len(line) > 0 && (line[0] == ' ' || line[0] == '\t'):
			code, why = "bad_request", "a header line must not be folded"
		}
	}
	if code == "" {
		return nil
	}
	p := newProblem(fasthttp.StatusBadRequest, code, why)
	p.closeConn = true
	return p
}
