// Package egress says which addresses deliveries may go to. Otherwise everybody who may apply a channel would
// otherwise reach what only this machine reaches: its own administration, the metadata service
// of a cloud, other servers of the network.
//
// The address is looked at when it is known, after the name was resolved and before the
// connection is made, so that a name that resolves to another address each time gains nothing.
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

// Setting is the name of the setting whose value Parse reads.
const Setting = "NUDGE_EGRESS_ALLOW"

// RefusedError says that an address may not be reached.
type RefusedError struct{ Address, Why string }

func (e *RefusedError) Error() string {
	return fmt.Sprintf("egress_refused: %s %s; %s names what may be reached beside public addresses", e.Address, e.Why,
		Setting)
}

// Policy is what may be reached: public addresses over https, and what is allowed by name. The
// zero value allows nothing by name. It is safe for concurrent use.
type Policy struct {
	hosts    []string // names, in lower case
	prefixes []netip.Prefix
	ports    []string // host:port, the only way to an own port
	own      []string // host:port of what this server listens on
}

// Parse reads a list of names, addresses, networks and host:port, separated by commas:
// hooks.internal, 127.0.0.1, 10.0.0.0/8, 127.0.0.1:9000.
func Parse(list string) (*Policy, error) {
	p := &Policy{}
	for _, word := range strings.Split(list, ",") {
		word = strings.ToLower(strings.TrimSpace(word))
		if word == "" {
			continue
		}
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

func isHost(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	const longest = 253
	return s != "" && len(s) <= longest && !strings.ContainsFunc(s, func(c rune) bool {
		return c != '.' && c != '-' && c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9')
	})
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

// Except is the policy of a server that listens on addresses (host:port): they are refused
// although their host is allowed, unless they are named with their port.
func (p *Policy) Except(own ...string) *Policy {
	c := *p
	c.own = append(slices.Clone(p.own), own...)
	return &c
}

// CheckURL says what is wrong with the URL of a receiver, as far as that can be seen before
// its name is resolved.
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

// allowed says whether a host is allowed by name.
func (p *Policy) allowed(host, port string) bool {
	host = strings.TrimSuffix(host, ".")
	if slices.Contains(p.hosts, host) || slices.Contains(p.ports, net.JoinHostPort(host, port)) {
		return true
	}
	if host == "localhost" {
		return p.contains(netip.AddrFrom4([4]byte{127, 0, 0, 1})) || p.contains(netip.IPv6Loopback())
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && p.contains(addr.Unmap())
}

func (p *Policy) contains(addr netip.Addr) bool {
	return slices.ContainsFunc(p.prefixes, func(x netip.Prefix) bool { return x.Contains(addr) })
}

// check says whether an address may be reached that a host was resolved to.
func (p *Policy) check(host string, addr netip.Addr, port string) error {
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

// isOwn says whether the server listens there.
func (p *Policy) isOwn(host string, addr netip.Addr, port string) bool {
	for _, own := range p.own {
		ownHost, ownPort, err := net.SplitHostPort(own)
		if err != nil || ownPort != port {
			continue
		}
		if ownHost == host || ownHost == addr.String() || addr.IsLoopback() || addr.IsUnspecified() || ofMachine(addr) {
			return true
		}
	}
	return false
}

// ofMachine says whether this machine has the address.
func ofMachine(addr netip.Addr) bool {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return true // unknown: as if it were
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

// Client is an HTTP client that keeps to the policy. It follows no redirect, uses no proxy of
// the environment, and an exchange takes at most timeout.
func (p *Policy) Client(timeout time.Duration, connections int) *http.Client {
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

// dial connects with a dialer that looks at each address before it connects.
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
