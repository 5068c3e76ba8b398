package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/valyala/fasthttp"
)

// keyring knows the write keys by their SHA-256, so that how long a look-up takes
// says nothing about a key.
type keyring map[[sha256.Size]byte]*sender

// sender is whose write key the request has: as the user name of Basic authorization,
// or as a Bearer token.
func (r keyring) sender(ctx *fasthttp.RequestCtx) (*sender, bool) {
	header := ctx.Request.Header.Peek("Authorization")
	scheme, rest, _ := bytes.Cut(header, []byte(" "))
	var key []byte
	switch {
	case bytes.EqualFold(scheme, []byte("basic")):
		decoded, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(rest)))
		if err != nil {
			return nil, false
		}
		key, _, _ = bytes.Cut(decoded, []byte(":"))
	case bytes.EqualFold(scheme, []byte("bearer")):
		key = bytes.TrimSpace(rest)
	}
	of, ok := r[sha256.Sum256(key)]
	return of, ok && len(key) > 0
}

func unauthorized() *problem {
	return newProblem(fasthttp.StatusUnauthorized, "unauthorized",
		"a write key is needed: as the user name of Basic authorization, or as a Bearer token",
		FieldError{Path: "Authorization", Code: "unauthorized", Message: "missing or unknown write key"})
}

// hasHeader says whether raw header lines have one of that name (lower case),
// also where the parser has resolved it away.
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

// smuggled refuses heads that a proxy before this server may have read in another
// way, so that it and we disagree where the next request begins.
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

// check asks everything about a tracking call but its body.
func (s *Server) check(ctx *fasthttp.RequestCtx) (from *sender, refusal *problem) {
	if !ctx.IsPost() {
		ctx.Response.Header.Set("Allow", "POST")
		return nil, newProblem(fasthttp.StatusMethodNotAllowed, "method", "use POST")
	}
	from, ok := s.keys.sender(ctx)
	if !ok {
		return nil, unauthorized()
	}
	h := &ctx.Request.Header
	if encoding := h.ContentEncoding(); len(encoding) > 0 && !bytes.EqualFold(encoding, []byte("identity")) {
		return nil, newProblem(fasthttp.StatusUnsupportedMediaType, "content_encoding",
			"send the body as it is, without Content-Encoding",
			FieldError{Path: "Content-Encoding", Code: codeUnknown, Message: "is not supported"})
	}
	mime, _, _ := bytes.Cut(h.ContentType(), []byte(";"))
	switch string(bytes.ToLower(bytes.TrimSpace(mime))) {
	case "application/json", "text/plain", "": // browsers' beacons send text/plain
		return from, nil
	}
	return nil, newProblem(fasthttp.StatusUnsupportedMediaType, "content_type", "send application/json",
		FieldError{Path: "Content-Type", Code: codeUnknown, Message: "is not supported; use application/json"})
}
