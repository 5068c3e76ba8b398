package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/nudge-engine/nudge/internal/identity"
	"github.com/nudge-engine/nudge/internal/pathid"
)

// requestLimit bounds one request; an apply waits for every partition.
const requestLimit = 2 * time.Minute

// adminAddress is how a command reaches the admin address of a server.
type adminAddress struct {
	Admin   string `env:"NUDGE_ADMIN_LISTEN" default:"127.0.0.1:8081" help:"Admin address of the server."`
	Key     string `env:"NUDGE_ADMIN_KEY" help:"Admin key; as a flag others on this machine can see it. Default: that of node.json in --data-dir."`
	DataDir string `env:"NUDGE_DATA_DIR" default:"data" placeholder:"DIR" help:"Data directory of the server, where the admin key is when it runs on this machine."`
}

// key is what the server asks for: as given, else as a server on this machine made it. It
// is empty when there is none, and never one of this machine for a server elsewhere.
func (a adminAddress) key() (string, error) {
	if a.Key != "" {
		return a.Key, nil
	}
	u, err := url.Parse(a.url())
	if err != nil {
		return "", fmt.Errorf("--admin %q is no address: write for example 127.0.0.1:8081", a.Admin)
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && !ip.IsLoopback() {
		return "", nil
	}
	id, err := identity.Read(a.DataDir)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	return id.AdminKey, err
}

// url is where the server answers: an address is enough, a URL is taken as it is.
func (a adminAddress) url() string {
	if strings.Contains(a.Admin, "://") {
		return strings.TrimSuffix(a.Admin, "/")
	}
	if host, port, err := net.SplitHostPort(a.Admin); err == nil && (host == "" || net.ParseIP(host).IsUnspecified()) {
		return "http://" + net.JoinHostPort("127.0.0.1", port) // all addresses: one of them is this machine's
	}
	return "http://" + a.Admin
}

// call makes a request and returns the answer's body; an answer other than
// success is an error with what the server said.
func (a adminAddress) call(method, path string, body any) ([]byte, error) {
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
	request, err := http.NewRequestWithContext(ctx, method, a.url()+path, payload)
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	key, err := a.key()
	if err != nil {
		return nil, err
	}
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf(
			"no server at %s: start one in another terminal with `make run` or `nudged`, or name another with "+
				"--admin (%w)",
			a.Admin,
			err,
		)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<20))
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusUnauthorized {
		return nil, a.unauthorized(key != "")
	}
	if response.StatusCode/100 != 2 {
		var p struct {
			Detail string `json:"detail"`
		}
		if json.Unmarshal(text, &p) == nil && p.Detail != "" {
			return nil, fmt.Errorf("%s\n(%s)", p.Detail, response.Status)
		}
		return nil, fmt.Errorf("%s: %s", response.Status, bytes.TrimSpace(text))
	}
	return text, nil
}

// unauthorized says what to do when the server does not take the key, or there is none.
func (a adminAddress) unauthorized(sent bool) error {
	what := "no admin key was found"
	switch {
	case sent && a.Key != "":
		what = "the server does not take the admin key that is set"
	case sent:
		what = "the server does not take the admin key of " + identity.Path(a.DataDir)
	}
	return fmt.Errorf("%s: set NUDGE_ADMIN_KEY to the key of the server at %s, or, on its machine, NUDGE_DATA_DIR "+
		"to its data directory", what, a.Admin)
}

type customerCommand struct {
	adminAddress `embed:""`
	ID           string `arg:"" help:"Customer id; anonymous ones begin with anon:."`
	At           string `placeholder:"TIME" help:"With --data: show the customer as they were at this instant (RFC 3339)."`
	Data         string `placeholder:"DIR" help:"Data directory of a server that is not running."`
}

func (c *customerCommand) Run(out console) error {
	if c.Data != "" || c.At != "" {
		return c.past(out)
	}
	text, err := c.call(http.MethodGet, "/v1/customers/"+pathid.Escape(c.ID), nil)
	if err != nil {
		return err
	}
	_, err = out.out.Write(text)
	return err
}
