// Package adminclient asks the admin address of a server, for the commands of the tool nudge.
// It finds the address and the key, and turns answers other than success into errors that say
// what to do.
package adminclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/nudge-engine/nudge/internal/clip"
	"github.com/nudge-engine/nudge/internal/identity"
)

// requestLimit bounds one request; an apply waits for every partition. The server bounds its
// answers by the same time (admin.LongestAnswer).
const requestLimit = 2 * time.Minute

// maxShown is how many bytes are shown of an answer that is not the server's own: that of a proxy
// may be a page.
const maxShown = 300

// Client is how to reach the admin address of a server. It keeps no state between calls and is
// safe for concurrent use.
type Client struct {
	// Address is host:port, or a URL for a server behind a proxy.
	Address string
	// Key is the admin key; empty: that of node.json in DataDir, for a server on this machine.
	Key string
	// DataDir is the data directory of the server; it counts only without Key.
	DataDir string
}

// key returns the key that the server asks for: the given one, else the one that a server on
// this machine made. It is empty when there is none. A key of this machine is never sent to a
// server elsewhere: it would tell a stranger's server how to get in here.
func (c *Client) key() (string, error) {
	if c.Key != "" {
		return c.Key, nil
	}
	// The key of node.json is for loopback only.
	if !c.loopback() {
		return "", nil
	}
	id, err := identity.Read(c.DataDir)
	// There is no such directory here; the server then says what it needs.
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	return id.AdminKey, err
}

// loopback reports whether the address is one of this machine.
func (c *Client) loopback() bool {
	u, err := url.Parse(c.URL())
	return err == nil && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback())
}

// check returns an error for an Address that is neither host:port nor a URL of HTTP.
func (c *Client) check() error {
	if strings.Contains(c.Address, "://") {
		if u, err := url.Parse(c.Address); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("--admin %q is no address: write for example http://127.0.0.1:8081", c.Address)
		}
		return nil
	}
	if _, port, err := net.SplitHostPort(c.Address); err != nil || port == "" {
		return fmt.Errorf("--admin %q is no address: write host and port, for example 127.0.0.1:8081", c.Address)
	}
	return nil
}

// URL returns where the server answers, without a slash at the end: an address becomes an HTTP
// URL, a URL is taken as it is.
func (c *Client) URL() string {
	if strings.Contains(c.Address, "://") {
		return strings.TrimSuffix(c.Address, "/")
	}
	host, port, err := net.SplitHostPort(c.Address)
	if err == nil && (host == "" || net.ParseIP(host).IsUnspecified()) {
		// The server listens on all addresses, and loopback is one of them.
		return "http://" + net.JoinHostPort("127.0.0.1", port)
	}
	return "http://" + c.Address
}

// Call makes a request and returns the answer's body. A body other than nil is sent as JSON.
// An answer other than success is an error with what the server said; an error without an
// answer says how to start or name a server.
func (c *Client) Call(method, path string, body any) ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	var payload io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		payload = bytes.NewReader(text)
	}
	ctx, cancel := context.WithTimeout(context.Background(), requestLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, c.URL()+path, payload)
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	key, err := c.key()
	if err != nil {
		return nil, err
	}
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, c.unanswered(err)
	}
	defer response.Body.Close()
	// 64 MiB bound an answer, a page of the log among them; all are far smaller.
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<20))
	if err != nil {
		return nil, err
	}
	if response.StatusCode/100 == 2 {
		return text, nil
	}
	return nil, c.refused(response, text, key != "")
}

// unanswered returns the error for a request that got no answer, with what to do.
func (c *Client) unanswered(err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("the server at %s did not answer within %v: look at its log", c.Address, requestLimit)
	// net/http has no error to compare with for this one.
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return fmt.Errorf("the server at %s speaks http, not https: write http instead of https in --admin", c.Address)
	}
	// Most often no server runs, so the error says how to start one.
	return fmt.Errorf("no server at %s: start one in another terminal with `make run` or `nudged`, or name another "+
		"with --admin HOST:PORT or NUDGE_ADMIN_LISTEN (%w)", c.Address, err)
}

// refused returns the error for an answer other than success: what the server said, or, when it
// is not the admin address of a server, which address is meant. sent says whether a key was.
func (c *Client) refused(response *http.Response, text []byte, sent bool) error {
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	admin := err == nil && kind == "application/json"
	if admin && response.StatusCode == http.StatusUnauthorized {
		return c.unauthorized(sent)
	}
	hint := ""
	// The address for events answers application/problem+json, and ClickHouse text. A failure of
	// 500 and above may be that of a proxy before the right address.
	if !admin && response.StatusCode/100 == 4 {
		hint = fmt.Sprintf("\n%s does not look like the admin address of a server: name that with --admin or "+
			"NUDGE_ADMIN_LISTEN, as nudged has it (usually 127.0.0.1:8081)", c.Address)
	}
	var p struct {
		Detail string `json:"detail"`
	}
	// The detail is written for people; the status alone says little.
	if json.Unmarshal(text, &p) == nil && p.Detail != "" {
		return fmt.Errorf("%s\n(%s)%s", p.Detail, response.Status, hint)
	}
	return fmt.Errorf("%s: %s%s", response.Status, clip.Text(string(bytes.TrimSpace(text)), maxShown), hint)
}

// unauthorized returns the error for a key that the server does not take, or for none at all
// if nothing was sent, with what to do.
func (c *Client) unauthorized(sent bool) error {
	what := "no admin key was found"
	switch {
	case sent && c.Key != "":
		what = "the server does not take the admin key that is set"
	case sent:
		what = "the server does not take the admin key of " + identity.Path(c.DataDir)
	case c.loopback():
		what += " in " + identity.Path(c.DataDir)
	}
	return fmt.Errorf("%s: set NUDGE_ADMIN_KEY to the key of the server at %s, or, on its machine, name its data "+
		"directory with --data-dir or NUDGE_DATA_DIR", what, c.Address)
}
