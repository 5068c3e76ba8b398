// Package hostcheck keeps web pages away from an address that only programs and people of
// this machine should use. A page that a browser shows can send requests to loopback, under
// its own origin or, when its name is made to resolve to loopback, as if it were of there.
package hostcheck

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// Check knows the names under which an address may be asked.
type Check struct {
	allowed map[string]bool // lower case; NAME, or NAME:PORT for that port alone
}

// New allows the loopback names, the host that listen (HOST:PORT) names, and more: names or
// IP addresses, with or without a port. An entry that is no name is an error.
func New(listen string, more []string) (Check, error) {
	c := Check{allowed: map[string]bool{}}
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

// Host says whether a request's Host header names this address.
func (c Check) Host(header string) bool {
	full := strings.ToLower(header)
	name, _, err := net.SplitHostPort(full)
	if err != nil { // there is no port
		name = strings.TrimSuffix(strings.TrimPrefix(full, "["), "]")
	}
	name = strings.TrimSuffix(name, ".")
	if name == "localhost" || net.ParseIP(name).IsLoopback() {
		return true
	}
	return name != "" && (c.allowed[name] || c.allowed[full])
}

// Foreign says whether a browser made the request for a page of another origin: by the
// headers Origin and Sec-Fetch-Site, which a page cannot change. Programs send neither.
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
