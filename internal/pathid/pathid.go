// Package pathid puts ids of customers into paths of URLs and reads them back. An id can be
// any text: it may contain slashes, or be "." or "..", which clients, proxies and servers
// resolve. Servers and clients of this project use the package on both sides, so that every
// id can be named.
package pathid

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxID is the greatest length of an id in bytes: 255 and the prefix of anonymous ids.
const maxID = 260

// Escape returns an id as one segment of a path.
func Escape(id string) string {
	escaped := url.PathEscape(id)
	if strings.Trim(escaped, ".") == "" { // "." and ".." would be resolved
		escaped = strings.ReplaceAll(escaped, ".", "%2E")
	}
	return escaped
}

// Unescape returns the id in a segment of a path, which must be as it was received: decoded
// twice, an id with a percent sign would become another one. It fails where the id is none
// that a customer can have.
func Unescape(segment string) (string, error) {
	if strings.Contains(segment, "/") {
		return "", errors.New("the id in the path has a slash; write it as %2F")
	}
	id, err := url.PathUnescape(segment)
	if err != nil {
		return "", fmt.Errorf("the id in the path is not percent-encoded: %w", err)
	}
	return id, Check(id)
}

// Check returns an error where id is none that a customer can have.
func Check(id string) error {
	switch {
	case id == "":
		return errors.New("the path has no id")
	case len(id) > maxID:
		return fmt.Errorf("the id in the path has %d bytes; at most %d are allowed", len(id), maxID)
	case !utf8.ValidString(id):
		return errors.New("the id in the path is not UTF-8")
	case strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return errors.New("the id in the path has control characters")
	}
	return nil
}

// KeepDots wraps a handler that resolves "." and ".." in paths, as http.ServeMux does by a
// redirect, so that it leaves them alone as the ids that they are.
func KeepDots(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Only the escaped form changes; it is the one in which ServeMux looks for dots.
		segments := strings.Split(r.URL.EscapedPath(), "/")
		changed := false
		for i, segment := range segments {
			if segment == "." || segment == ".." {
				segments[i], changed = Escape(segment), true
			}
		}
		if changed {
			r.URL.RawPath = strings.Join(segments, "/")
		}
		next.ServeHTTP(w, r)
	})
}
