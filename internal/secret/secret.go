// Package secret has types for settings that must not be shown. fmt, log/slog and
// encoding/json print (set) in place of the value, so that a setting which is logged by
// mistake gives nothing away; only Reveal returns it.
//
// secret.go has the types. filter.go removes the same secrets from texts of other
// libraries.
package secret

import (
	"log/slog"
	"net/url"
	"regexp"
	"strings"
)

// hidden is what is shown in place of a secret.
const hidden = "(set)"

// Text is a key or a password.
type Text string

// Reveal returns the value.
func (t Text) Reveal() string { return string(t) }

// String returns (set), or an empty text where there is no value.
func (t Text) String() string {
	if t == "" {
		return ""
	}
	return hidden
}

// GoString makes %#v print what String returns.
func (t Text) GoString() string { return t.String() }

// MarshalText makes JSON and YAML have what String returns.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// LogValue makes log/slog print what String returns.
func (t Text) LogValue() slog.Value { return slog.StringValue(t.String()) }

// URL is an address, or several separated by commas, that may contain a user, a password or
// a token.
type URL string

// Reveal returns the value.
func (u URL) Reveal() string { return string(u) }

// plainURL is an address whose parts are certain: scheme, user, host, path, query. Where a
// password contains a slash or an @, an address can be read in two ways.
var plainURL = regexp.MustCompile(`^([a-z][a-z0-9+.-]*://)?([^@/?#,]*@)?([A-Za-z0-9.:_\[\]-]+)` +
	`(/[A-Za-z0-9_.-]*)?([?#].*)?$`)

// String returns the value with (set) in place of the user part and the query. It returns
// (set) alone where it is not certain which part is which.
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

// GoString makes %#v print what String returns.
func (u URL) GoString() string { return u.String() }

// MarshalText makes JSON and YAML have what String returns.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// LogValue makes log/slog print what String returns.
func (u URL) LogValue() slog.Value { return slog.StringValue(u.String()) }

// Open reports whether the address has nothing to hide.
func (u URL) Open() bool { return u.String() == string(u) }

// parts returns the texts in the address that must not be shown, as they are written and
// decoded: an error may have either form.
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
