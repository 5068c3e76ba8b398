// Package pathid puts ids of customers into paths of URLs and takes them out again. Ids are
// any text: they may hold slashes, or be "." or "..", which clients and servers would resolve.
package pathid

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxID is the most bytes of an id, with the prefix of anonymous ones.
const maxID = 260

// Escape is an id as one segment of a path.
func Escape(id string) string {
	escaped := url.PathEscape(id)
	if strings.Trim(escaped, ".") == "" { // "." and ".." would be resolved
		escaped = strings.ReplaceAll(escaped, ".", "%2E")
	}
	return escaped
}

// Unescape decodes a segment of a path, as it came, once.
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

// Check refuses what no customer can have as an id.
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

// KeepDots wraps a handler that resolves "." and ".." in paths, as http.ServeMux does with a
// redirect, so that it takes them for the ids they are.
func KeepDots(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
