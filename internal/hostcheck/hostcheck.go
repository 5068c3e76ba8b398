// Package hostcheck protects an address that only programs and people of this machine
// should use from web pages. A page in a browser can send requests to a loopback address:
// under its own origin, or, when the name of its site is made to resolve to loopback (DNS
// rebinding), as if it were part of that address.
//
// Check.Host answers the second case and Foreign the first. A server asks both before it
// reads a request.
package hostcheck

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// Check has the names under which an address may be reached. It is immutable and safe for
// concurrent use. The zero value allows loopback names only.
type Check struct {
	allowed map[string]bool // lower case; NAME, or NAME:PORT for that port alone
}

// New returns a Check that allows the loopback names, the host in listen (HOST:PORT), and
// more: names or IP addresses, with or without a port. It fails where an entry of more is
// no name.
func New(listen string, more []string) (Check, error) {
	c := Check{allowed: map[string]bool{}}
	// An unspecified address such as 0.0.0.0 is no name that a client uses.
	if host, _, err := net.SplitHostPort(listen); err == nil && host != "" && !net.ParseIP(host).IsUnspecified() {
		c.allowed[strings.ToLower(host)] = true
	}
	for _, entry := range more {
		name := strings.ToLower(strings.TrimSpace(entry))
		if name == "" || strings.ContainsAny(name, "/*@? ") {
			return c, fmt.Errorf("%q is no host name; write for example nudge.example.com, or with a port", entry)
		}
		if bare, ok := strings.CutPrefix(name, "["); ok && strings.HasSuffix(bare, "]") {
			name = strings.TrimSuffix(bare, "]")
		}
		c.allowed[name] = true
	}
	return c, nil
}

// Host reports whether a Host header names this address. The port matters only where an
// allowed name has one.
func (c Check) Host(header string) bool {
	full := strings.ToLower(header)
	name, _, err := net.SplitHostPort(full)
	if err != nil { // there is no port
		name = strings.TrimSuffix(strings.TrimPrefix(full, "["), "]")
	}
	// A name with a final dot is the same name, written in full.
	name = strings.TrimSuffix(name, ".")
	if name == "localhost" || net.ParseIP(name).IsLoopback() {
		return true
	}
	return name != "" && (c.allowed[name] || c.allowed[full])
}

// Foreign reports whether a browser made the request for a page of another origin. It reads
// the headers Sec-Fetch-Site and Origin, which a page cannot change; programs send neither.
// host is the request's Host.
func Foreign(host string, header http.Header) bool {
	for _, site := range header.Values("Sec-Fetch-Site") {
		if site = strings.ToLower(strings.TrimSpace(site)); site != "same-origin" && site != "none" {
			return true
		}
	}
	for _, origin := range header.Values("Origin") {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || !strings.EqualFold(u.Host, host) {
			return true
		}
	}
	return false
}
