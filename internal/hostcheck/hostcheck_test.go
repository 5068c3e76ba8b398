package hostcheck

import (
	"net/http"
	"testing"
)

func TestHost(t *testing.T) {
	c, err := New("10.0.0.5:8081", []string{"nudge.example.com", "Other.example.com:99", "[fd00::1]"})
	if err != nil {
		t.Fatal(err)
	}
	f := func(host string, want bool) {
		t.Helper()
		if got := c.Host(host); got != want {
			t.Errorf("host %q is allowed: %v; want %v", host, got, want)
		}
	}
	for _, host := range []string{
		"127.0.0.1", "127.0.0.1:8081", "127.9.9.9:1", "localhost", "LOCALHOST:8081", "localhost.:8081", "[::1]:8081", "[::1]",
		"10.0.0.5:8081", "nudge.example.com", "NUDGE.example.com:8081", "other.example.com:99", "[fd00::1]:8081",
	} {
		f(host, true)
	}
	for _, host := range []string{
		"", ":8081", "evil.example.com", "evil.example.com:8081", "localhost.evil.example.com", "127.0.0.1.evil.example.com",
		"127.1", "0x7f000001", "2130706433", "10.0.0.6:8081", "other.example.com:98", "0.0.0.0:8081", "nudge.example.com.evil",
		"localhost@evil.example.com", "app.localhost",
	} {
		f(host, false)
	}
	for _, bad := range []string{"", " ", "*", "*.example.com", "http://nudge.example.com", "a b"} {
		if _, err := New("127.0.0.1:1", []string{bad}); err == nil {
			t.Errorf("the name %q is taken", bad)
		}
	}
}

func TestForeign(t *testing.T) {
	f := func(name, value string, want bool) {
		t.Helper()
		if got := Foreign("127.0.0.1:8081", http.Header{name: {value}}); got != want {
			t.Errorf("%s: %s is foreign: %v; want %v", name, value, got, want)
		}
	}
	f("Origin", "http://127.0.0.1:8081", false)
	f("Origin", "http://127.0.0.1:3000", true)
	f("Origin", "http://localhost:8081", true)
	f("Origin", "https://evil.example.com", true)
	f("Origin", "null", true)
	f("Origin", "", true)
	f("Sec-Fetch-Site", "cross-site", true)
	f("Sec-Fetch-Site", "Same-Site", true)
	f("Sec-Fetch-Site", "same-origin", false)
	f("Sec-Fetch-Site", "none", false)
	f("Accept", "text/html", false)
	if !Foreign("127.0.0.1:8081", http.Header{"Origin": {"http://127.0.0.1:8081", "https://evil.example.com"}}) {
		t.Error("a second Origin is not looked at")
	}
}
