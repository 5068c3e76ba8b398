package main

import (
	"net/http"

	"github.com/nudge-engine/nudge/internal/pathid"
	"github.com/nudge-engine/nudge/ops/adminclient"
)

// adminAddress has the flags with which a command reaches the admin address of a server. The
// variables are the server's own settings, so that both find each other without flags.
type adminAddress struct {
	// Admin is host:port or a URL.
	Admin string `env:"NUDGE_ADMIN_LISTEN" default:"127.0.0.1:8081" help:"Admin address of the server."`
	// Key as a flag can be seen by other users of the machine in the list of processes; the
	// variable cannot.
	Key     string `env:"NUDGE_ADMIN_KEY" help:"Admin key; as a flag others on this machine can see it. Default: that of node.json in --data-dir."`
	DataDir string `env:"NUDGE_DATA_DIR" default:"data" placeholder:"DIR" help:"Data directory of the server, where the admin key is when it runs on this machine."`
}

// client returns a client for the address.
func (a adminAddress) client() *adminclient.Client {
	return &adminclient.Client{Address: a.Admin, Key: a.Key, DataDir: a.DataDir}
}

// url returns the address as it is shown to people.
func (a adminAddress) url() string { return a.client().URL() }

// call makes a request and returns the answer's body, see adminclient.Client.Call.
func (a adminAddress) call(method, path string, body any) ([]byte, error) {
	return a.client().Call(method, path, body)
}

// customerCommand is `nudge customer`: a customer as a running server, a stopped one, or the
// past knows them.
type customerCommand struct {
	adminAddress `embed:""`
	ID           string `arg:"" help:"Customer id; anonymous ones begin with anon:."`
	// At and Data ask for the past; without them a running server is asked.
	At   string `placeholder:"TIME" help:"With --data: show the customer as they were at this instant (RFC 3339)."`
	Data string `placeholder:"DIR" help:"Data directory of a server that is not running."`
}

// Run prints the customer as JSON. Without --data it asks the server; travel.go has the rest.
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
