package main

import (
	"net/http"

	"github.com/nudge-engine/nudge/internal/pathid"
	"github.com/nudge-engine/nudge/ops/adminclient"
)

// adminAddress is how a command reaches the admin address of a server.
type adminAddress struct {
	Admin   string `env:"NUDGE_ADMIN_LISTEN" default:"127.0.0.1:8081" help:"Admin address of the server."`
	Key     string `env:"NUDGE_ADMIN_KEY" help:"Admin key; as a flag others on this machine can see it. Default: that of node.json in --data-dir."`
	DataDir string `env:"NUDGE_DATA_DIR" default:"data" placeholder:"DIR" help:"Data directory of the server, where the admin key is when it runs on this machine."`
}

func (a adminAddress) client() *adminclient.Client {
	return &adminclient.Client{Address: a.Admin, Key: a.Key, DataDir: a.DataDir}
}

func (a adminAddress) url() string { return a.client().URL() }

func (a adminAddress) call(method, path string, body any) ([]byte, error) {
	return a.client().Call(method, path, body)
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
