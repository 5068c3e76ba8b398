// Package secret has types for settings that must not be shown. Their String, and so what
// fmt, log/slog and encoding/json print of them, is not the value; Reveal is.
package secret

import (
	"log/slog"
	"net/url"
	"regexp"
	"strings"
)

// hidden stands where a secret is not shown.
const hidden = "(set)"

// Text is a key or a password.
type Text string

// Reveal is the value.
func (t Text) Reveal() string { return string(t) }

// String says only whether there is a value.
func (t Text) String() string {
	if t == "" {
		return ""
	}
	return hidden
}

// GoString is String, for %#v.
func (t Text) GoString() string { return t.String() }

// MarshalText is String, for JSON and YAML.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// LogValue is String, for log/slog.
func (t Text) LogValue() slog.Value { return slog.StringValue(t.String()) }

// URL is an address, or several with commas between, that may have a user, a password or a
// token in it.
type URL string

// Reveal is the value.
func (u URL) Reveal() string { return string(u) }

// plainURL is an address of which nothing but what it says is known to be: scheme, user,
// hosts, path, query.
var plainURL = regexp.MustCompile(`^([a-z][a-z0-9+.-]*://)?([^@/?#,]*@)?([A-Za-z0-9.:_\[\]-]+)` +
	`(/[A-Za-z0-9_.-]*)?([?#].*)?$`)

// String is the value with (set) for the user part and the query, or for everything when it
// is not certain which part is which.
func (u URL) String() string {
	if u == "" {
		return ""
	}
	parts := strings.Split(string(u), ",")
	for i, part := range parts {
		m := plainURL.FindStringSubmatch(part)
		ambiguous := m == nil || strings.Contains(m[5], "@") ||
			len(parts) > 1 && (m[2] == "") != !strings.Contains(parts[0], "@")
		if ambiguous {
			return hidden
		}
		user, query := "", ""
		if m[2] != "" {
			user = hidden + "@"
		}
		if m[5] != "" {
			query = "?" + hidden
		}
		parts[i] = m[1] + user + m[3] + m[4] + query
	}
	return strings.Join(parts, ",")
}

// GoString is String, for %#v.
func (u URL) GoString() string { return u.String() }

// MarshalText is String, for JSON and YAML.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// LogValue is String, for log/slog.
func (u URL) LogValue() slog.Value { return slog.StringValue(u.String()) }

// Open says whether the URL has nothing to hide.
func (u URL) Open() bool { return u.String() == string(u) }

// parts are the texts in the URL that must not be shown, as they are and decoded.
func (u URL) parts() []string {
	if u.Open() {
		return nil
	}
	found := []string{string(u)}
	add := func(text string) {
		found = append(found, text)
		if decoded, err := url.PathUnescape(text); err == nil {
			found = append(found, decoded)
		}
		if decoded, err := url.QueryUnescape(text); err == nil {
			found = append(found, decoded)
		}
	}
	for part := range strings.SplitSeq(string(u), ",") {
		_, rest, ok := strings.Cut(part, "://")
		if !ok {
			rest = part
		}
		if at := strings.LastIndexByte(rest, '@'); at >= 0 {
			add(rest[:at])
			user, password, ok := strings.Cut(rest[:at], ":")
			if add(password); !ok {
				add(user) // a token
			}
		}
		if _, query, ok := strings.Cut(rest, "?"); ok {
			for pair := range strings.SplitSeq(query, "&") {
				_, value, _ := strings.Cut(pair, "=")
				add(value)
			}
		}
	}
	return found
}
