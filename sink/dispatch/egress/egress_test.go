package egress_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/sink/dispatch/egress"
)

func policy(t *testing.T, list string, own ...string) *egress.Policy {
	t.Helper()
	p, err := egress.Parse(list)
	if err != nil {
		t.Fatal(err)
	}
	return p.Except(own...)
}

// A URL that nothing can be sent to, or may be, is refused with what to write.
func TestCheckURL(t *testing.T) {
	f := func(allow, url, want string) {
		t.Helper()
		err := policy(t, allow, "127.0.0.1:8081", "0.0.0.0:8123").CheckURL(url)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q with %q: %v; want %q", url, allow, err, want)
		}
	}
	for url, want := range map[string]string{
		"file:///etc/passwd": "with file:; write https://host/path", "gopher://h/": "with gopher:",
		"ftp://h/x": "with ftp:", "nonsense": "no scheme", "": "no scheme", "h.example/x": "no scheme",
		"mailto:a@b": "no scheme", "javascript:alert(1)": "no scheme", "https://": "no host", "https:///x": "no host",
		"https://h:99999/": "no port", "http://%zz": "cannot be read", "//h/x": "no scheme",
	} {
		f("", url, want)
	}
	f("", "https://hooks.example/x", "")
	f("", "HTTPS://hooks.example:8443/x?y=z", "")
	f("", "http://hooks.example/x", "egress_refused: hooks.example:80 is not allowed without https")
	f("hooks.example", "http://hooks.example/x", "")
	f("hooks.example", "http://hooks.example.evil/x", "egress_refused")
	f("hooks.example:80", "http://hooks.example/x", "")
	f("hooks.example:80", "http://hooks.example:81/x", "egress_refused")
	f("127.0.0.1", "http://127.0.0.1:9000/x", "")
	f("127.0.0.1", "http://localhost:9000/x", "")
	f("127.0.0.1", "http://127.0.0.2:9000/x", "egress_refused")
	f("127.0.0.0/8, ::1", "http://[::1]:9000/x", "")
	f("127.0.0.1", "http://127.0.0.1:8081/x", "an address of this server, which has to be named with its port")
	f("127.0.0.1", "http://127.0.0.1:8123/x", "an address of this server")
	f("127.0.0.1,127.0.0.1:8081", "http://127.0.0.1:8081/x", "")
	for host, kind := range map[string]string{
		"127.0.0.1": "loopback", "10.1.2.3": "private", "192.168.0.1": "private", "172.31.0.1": "private",
		"169.254.169.254": "link-local", "100.64.0.1": "CGNAT", "224.0.0.1": "multicast", "0.0.0.0": "unspecified",
		"0.1.2.3": "this network", "255.255.255.255": "reserved", "198.18.0.1": "benchmarks", "[::1]": "loopback",
		"[::]": "unspecified", "[::ffff:127.0.0.1]": "loopback", "[::ffff:169.254.169.254]": "link-local",
		"[::ffff:7f00:1]": "loopback", "[::7f00:1]": "another form", "[64:ff9b::7f00:1]": "NAT64", "[2002:7f00:1::]": "6to4",
		"[::ffff:0:7f00:1]": "SIIT",
		"[fe80::1]":         "link-local", "[fd00::1]": "private", "[ff02::1]": "multicast", "[2001:db8::1]": "documentation",
		"[2001:0:1::]": "reserved",
	} {
		f("", "https://"+host+"/", "egress_refused")
		f("", "https://"+host+"/", kind)
	}
	f("", "https://1.1.1.1/", "")
	f("", "https://[2606:4700::1111]/", "")
	f("10.0.0.0/8", "https://10.1.2.3/", "")
	f("::ffff:0:0/96", "https://127.0.0.1/", "loopback")
}

func TestParse(t *testing.T) {
	for _, list := range []string{"http://x", "a b", "10.0.0.0/99", "x:99999", "x:"} {
		if _, err := egress.Parse(list); err == nil {
			t.Errorf("%q: no error", list)
		}
	}
}

// What a name resolves to is looked at when the connection is made, and nothing else is
// reached: no redirect, no proxy.
func TestClient(t *testing.T) {
	reached := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached++
		if r.URL.Path == "/elsewhere" {
			http.Redirect(w, r, "/reached", http.StatusFound)
		}
	}))
	t.Cleanup(s.Close)
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	get := func(p *egress.Policy, host, path string) (int, error) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+net.JoinHostPort(host, port)+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := p.Client(5*time.Second, 1).Do(r)
		if err != nil {
			return 0, err
		}
		_, err = io.Copy(io.Discard, response.Body)
		return response.StatusCode, errors.Join(err, response.Body.Close())
	}
	var refused *egress.RefusedError
	for _, p := range []*egress.Policy{
		policy(t, ""), policy(t, "hooks.example, 10.0.0.0/8"), policy(t, "127.0.0.1, ::1, localhost", "127.0.0.1:"+port),
	} {
		if _, err := get(p, "localhost", "/"); !errors.As(err, &refused) || reached != 0 {
			t.Errorf("unexpected error %v, reached %d times", err, reached)
		}
	}
	for _, allow := range []string{"127.0.0.1", "localhost", "127.0.0.0/8", "localhost:" + port} {
		if status, err := get(policy(t, allow), "localhost", "/"); err != nil || status != http.StatusOK {
			t.Errorf("%s: status %d, error %v", allow, status, err)
		}
	}
	if status, err := get(policy(t, "127.0.0.1:"+port, "127.0.0.1:"+port), "127.0.0.1", "/"); err != nil {
		t.Errorf("an own address that is named: status %d, error %v", status, err)
	}
	before := reached
	if status, err := get(policy(t, "127.0.0.1"), "127.0.0.1", "/elsewhere"); err != nil || status != http.StatusFound ||
		reached != before+1 {
		t.Errorf("a redirect: status %d, error %v, %d requests", status, err, reached-before)
	}
}
