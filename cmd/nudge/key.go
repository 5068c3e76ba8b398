package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"

	"github.com/nudge-engine/nudge/internal/identity"
	"github.com/nudge-engine/nudge/ops/demo"
)

// keyCommand is `nudge key`: it prints a key that node.json keeps, so that nobody has to open
// the file, and scripts can use it.
type keyCommand struct {
	Name    string `arg:"" enum:"write,admin,reader" help:"write: for events. admin: for administration. reader: the password of ClickHouse's user reader."`
	DataDir string `env:"NUDGE_DATA_DIR" default:"data" placeholder:"DIR" help:"Data directory of the server."`
}

func (k *keyCommand) Help() string {
	return `Prints one key and nothing else: the one that NUDGE_WRITE_KEY, NUDGE_ADMIN_KEY or
NUDGE_CLICKHOUSE_PASSWORD sets, else the one that the server made at its first start.

Example:
  curl -H "Authorization: Bearer $(nudge key admin)" http://127.0.0.1:8081/metrics
  curl -u "reader:$(nudge key reader)" http://127.0.0.1:8123/ -d 'SELECT count() FROM nudge.events'`
}

// Run prints the key and nothing else. A setting goes before the file, as it does for the
// server; without either the error says how a key comes to be.
func (k *keyCommand) Run(out console) error {
	id, err := identity.Read(k.DataDir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	// The names are those of the server's settings, so that a tool in the same environment
	// finds what the server uses.
	setting, made := "", ""
	switch k.Name {
	case "write":
		setting, made = "NUDGE_WRITE_KEY", id.WriteKey
	case "admin":
		setting, made = "NUDGE_ADMIN_KEY", id.AdminKey
	case "reader":
		setting, made = "NUDGE_CLICKHOUSE_PASSWORD", id.ReaderPassword
	}
	key := cmp.Or(os.Getenv(setting), made)
	if key == "" {
		hint := ""
		if k.Name == "write" {
			hint = "; that of the demo (make run) is " + demo.DefaultKey
		}
		return fmt.Errorf("%s has no %s key: it is made when a server first starts there without %s; "+
			"name its directory with --data-dir, or set %s%s", identity.Path(k.DataDir), k.Name, setting, setting, hint)
	}
	_, err = fmt.Fprintln(out.out, key)
	return err
}
