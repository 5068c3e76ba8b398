package main

import (
	"crypto/subtle"
	"net/http"
)

// authenticate checks the password of the user default, which may come in any
// of the ways of ClickHouse: X-ClickHouse-User and -Key, basic authentication,
// or the URL. Without a configured password everybody is let in.
func authenticate(r *http.Request, password string) error {
	if password == "" {
		return nil
	}
	user, key, basic := r.BasicAuth()
	query := r.URL.Query()
	switch {
	case r.Header.Get("X-ClickHouse-User") != "" || r.Header.Get("X-ClickHouse-Key") != "":
		user, key = r.Header.Get("X-ClickHouse-User"), r.Header.Get("X-ClickHouse-Key")
	case !basic:
		user, key = query.Get("user"), query.Get("password")
	}
	rightKey := subtle.ConstantTimeCompare([]byte(key), []byte(password)) == 1
	if rightUser := user == "" || user == "default"; !rightKey || !rightUser {
		return exception(516, "AUTHENTICATION_FAILED", "default: Authentication failed: password is incorrect, or "+
			"there is no user with such name")
	}
	return nil
}
