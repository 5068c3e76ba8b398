package adminclient

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/internal/identity"
)

// A request that cannot succeed is told with the flag and the variable to change.
func TestErrorsSayWhatToChange(t *testing.T) {
	dir := t.TempDir()
	if err := (&identity.Identity{Node: "n", AdminKey: "made-admin-key-01"}).Save(dir); err != nil {
		t.Fatal(err)
	}
	// answers returns the address of a server that answers everything alike.
	answers := func(status int, kind, text string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(text))
		}))
		t.Cleanup(s.Close)
		return s.Listener.Addr().String()
	}
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	none := t.TempDir()
	const problem = `{"detail": "there is nothing here"}`
	unauthorized := answers(http.StatusUnauthorized, "application/json", problem)
	for _, c := range []struct {
		client Client
		want   []string
		not    string
	}{
		{Client{Address: closed.Listener.Addr().String()}, []string{"no server at", "--admin", "NUDGE_ADMIN_LISTEN"}, ""},
		{Client{Address: "localhost"}, []string{`--admin "localhost" is no address`, "127.0.0.1:8081"}, "no server"},
		{Client{Address: "8081"}, []string{`--admin "8081" is no address`}, "no server"},
		{Client{Address: "ftp://localhost"}, []string{`--admin "ftp://localhost" is no address`}, ""},
		{Client{Address: "https://" + unauthorized}, []string{"speaks http", "http instead of https in --admin"}, "no server"},
		{
			Client{Address: unauthorized, Key: "given-admin-key-1"},
			[]string{"does not take the admin key that is set", "NUDGE_ADMIN_KEY", "--data-dir"},
			"admin address",
		},
		{Client{Address: unauthorized, DataDir: dir}, []string{"does not take the admin key of " + identity.Path(dir)}, ""},
		{
			Client{Address: unauthorized, DataDir: none},
			[]string{"no admin key was found in " + identity.Path(none), "--data-dir"},
			"",
		},
		{
			Client{Address: answers(http.StatusNotFound, "application/json", problem)},
			[]string{"there is nothing here\n(404 Not Found)"},
			"does not look like",
		},
		// The address for events, with and without the right key.
		{
			Client{Address: answers(http.StatusNotFound, "application/problem+json", problem)},
			[]string{"there is nothing here", "does not look like the admin address", "--admin"},
			"",
		},
		{
			Client{Address: answers(http.StatusUnauthorized, "application/problem+json", problem), DataDir: dir},
			[]string{"does not look like the admin address"},
			"admin key of",
		},
		{
			Client{Address: answers(http.StatusNotFound, "text/plain", "There is no handle")},
			[]string{"404 Not Found: There is no handle", "does not look like the admin address"},
			"",
		},
		{Client{Address: answers(http.StatusBadGateway, "text/html", "<html>")}, []string{"502"}, "does not look like"},
	} {
		if c.client.DataDir == "" {
			c.client.DataDir = none
		}
		_, err := c.client.Call(http.MethodGet, "/v1/definitions", nil)
		if err == nil {
			t.Errorf("%+v: no error", c.client)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: %v; want %q", c.client, err, want)
			}
		}
		if c.not != "" && strings.Contains(err.Error(), c.not) {
			t.Errorf("%+v: %v; it must not say %q", c.client, err, c.not)
		}
	}
}
