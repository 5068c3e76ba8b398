// Package egress decides which addresses deliveries may go to. Without it everybody who
// may apply a channel would reach what only this machine reaches: its own administration,
// the metadata service of a cloud, other servers of the network.
//
// The address is checked when it is known, after the name was resolved and before the
// connection is made, so that a name which resolves to another address each time gains
// nothing.
package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Setting is the name of the environment variable whose value Parse reads.
const Setting = "NUDGE_EGRESS_ALLOW"

// RefusedError reports an address that may not be reached, and why.
type RefusedError struct{ Address, Why string }

func (e *RefusedError) Error() string {
	return fmt.Sprintf("egress_refused: %s %s; %s names what may be reached beside public addresses", e.Address, e.Why,
		Setting)
}

// Policy says what may be reached: public addresses over https, and what is allowed by
// name. The zero value allows nothing by name. It does not change, so it is safe for
// concurrent use.
type Policy struct {
	hosts    []string       // names, in lower case: all their addresses and ports
	prefixes []netip.Prefix // networks and single addresses
	ports    []string       // host:port; the only way to a port of this server
	own      []string       // host:port of what this server listens on
}

// Parse parses a list of names, addresses, networks and host:port, separated by commas:
// hooks.internal, 127.0.0.1, 10.0.0.0/8, 127.0.0.1:9000. The empty list allows nothing by
// name.
func Parse(list string) (*Policy, error) {
	p := &Policy{}
	for _, word := range strings.Split(list, ",") {
		word = strings.ToLower(strings.TrimSpace(word))
		if word == "" {
			continue
		}
		// A word is read as the narrowest form that it fits, so that an address is never
		// a name.
		if prefix, err := netip.ParsePrefix(word); err == nil {
			p.prefixes = append(p.prefixes, prefix.Masked())
		} else if addr, err := netip.ParseAddr(strings.Trim(word, "[]")); err == nil {
			p.prefixes = append(p.prefixes, netip.PrefixFrom(addr, addr.BitLen()))
		} else if host, port, err := net.SplitHostPort(word); err == nil && isHost(host) && isPort(port) {
			p.ports = append(p.ports, net.JoinHostPort(host, port))
		} else if isHost(word) {
			p.hosts = append(p.hosts, word)
		} else {
			return nil, fmt.Errorf("%q is no address; write a name, an address, a network as 10.0.0.0/8 or host:port",
				word)
		}
	}
	return p, nil
}

// isHost reports whether s is an address or can be a name.
func isHost(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	const longest = 253 // characters of a DNS name as text (RFC 1035, section 2.3.4)
	return s != "" && len(s) <= longest && !strings.ContainsFunc(s, func(c rune) bool {
		return c != '.' && c != '-' && c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9')
	})
}

// isPort reports whether s is a port number, 1 to 65535.
func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

// Except returns the policy of a server that listens on own (host:port): these are
// refused although their host is allowed, unless they are named with their port. A wrong
// channel could otherwise administer the server that sends it.
func (p *Policy) Except(own ...string) *Policy {
	c := *p
	c.own = append(slices.Clone(p.own), own...)
	return &c
}

// CheckURL returns an error that says what is wrong with the URL of a receiver, as far as
// that can be seen before its name is resolved. It is a RefusedError if the policy is the
// reason.
func (p *Policy) CheckURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return errors.New("the url cannot be read; write https://host/path")
	case u.Scheme == "" || u.Opaque != "":
		return errors.New("the url has no scheme; write https://host/path")
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("nothing can be sent to a url with %s:; write https://host/path", u.Scheme)
	case u.Hostname() == "":
		return errors.New("the url names no host; write https://host/path")
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" {
		// The ports of the schemes.
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	if !isPort(port) {
		return fmt.Errorf("%q is no port", port)
	}
	if u.Scheme == "http" && !p.allowed(host, port) {
		return &RefusedError{Address: net.JoinHostPort(host, port), Why: "is not allowed without https: write https://"}
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return p.check(host, addr, port)
	}
	return nil
}

// allowed reports whether a host is allowed by name, or as an address.
func (p *Policy) allowed(host, port string) bool {
	// A final dot names the same host.
	host = strings.TrimSuffix(host, ".")
	if slices.Contains(p.hosts, host) || slices.Contains(p.ports, net.JoinHostPort(host, port)) {
		return true
	}
	// It is allowed with the addresses that it stands for.
	if host == "localhost" {
		return p.contains(netip.AddrFrom4([4]byte{127, 0, 0, 1})) || p.contains(netip.IPv6Loopback())
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && p.contains(addr.Unmap())
}

// contains reports whether an address is in one of the allowed networks.
func (p *Policy) contains(addr netip.Addr) bool {
	return slices.ContainsFunc(p.prefixes, func(x netip.Prefix) bool { return x.Contains(addr) })
}

// check returns a RefusedError if an address to which a host was resolved may not be
// reached. What is named with its port comes first, then the server's own ports, then
// what else is allowed, and at last whether the address is public.
func (p *Policy) check(host string, addr netip.Addr, port string) error {
	// The zone of a link-local address is of this machine only, and an IPv4 address may
	// come in the form of an IPv6 one.
	addr = addr.WithZone("").Unmap()
	refused := func(why string) error {
		return &RefusedError{Address: net.JoinHostPort(addr.String(), port), Why: why}
	}
	named := slices.Contains(p.ports, net.JoinHostPort(host, port)) ||
		slices.Contains(p.ports, net.JoinHostPort(addr.String(), port))
	switch {
	case named:
		return nil
	case p.isOwn(host, addr, port):
		return refused("is an address of this server, which has to be named with its port")
	case p.contains(addr) || slices.Contains(p.hosts, strings.TrimSuffix(host, ".")):
		return nil
	}
	if kind := special(addr); kind != "" {
		return refused("is " + kind)
	}
	return nil
}

// isOwn reports whether this server listens at an address, under any of the machine's
// addresses.
func (p *Policy) isOwn(host string, addr netip.Addr, port string) bool {
	for _, own := range p.own {
		ownHost, ownPort, err := net.SplitHostPort(own)
		if err != nil || ownPort != port {
			continue
		}
		// A server that listens on a port of all interfaces is reached by any address of
		// the machine.
		if ownHost == host || ownHost == addr.String() || addr.IsLoopback() || addr.IsUnspecified() || ofMachine(addr) {
			return true
		}
	}
	return false
}

// ofMachine reports whether this machine has the address. If that cannot be found out it
// is assumed, which refuses more rather than less.
func ofMachine(addr netip.Addr) bool {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	return slices.ContainsFunc(all, func(a net.Addr) bool {
		n, ok := a.(*net.IPNet)
		if !ok {
			return false
		}
		own, ok := netip.AddrFromSlice(n.IP)
		return ok && own.Unmap() == addr
	})
}

// Client returns an HTTP client that keeps to the policy. It follows no redirect, uses no
// proxy of the environment (a proxy would connect in its place, unchecked), keeps as many
// idle connections to a host as given, and ends an exchange after timeout.
func (p *Policy) Client(timeout time.Duration, connections int) *http.Client {
	// Much less than timeout: a receiver that does not even take a connection must not
	// hold a worker.
	const connecting, headerBytes = 5 * time.Second, 64 << 10
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DialContext: p.dial(&net.Dialer{Timeout: connecting}), Proxy: nil, ForceAttemptHTTP2: true,
			MaxIdleConnsPerHost: connections, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: connecting,
			MaxResponseHeaderBytes: headerBytes,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// dial returns a function that connects with plain and checks each resolved address
// before it connects.
func (p *Policy) dial(plain *net.Dialer) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, fmt.Errorf("egress: %w", err)
		}
		d := *plain
		d.ControlContext = func(_ context.Context, _, resolved string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(resolved)
			if err != nil {
				return fmt.Errorf("egress: %w", err)
			}
			return p.check(strings.ToLower(host), at.Addr(), port)
		}
		return d.DialContext(ctx, network, address)
	}
}
