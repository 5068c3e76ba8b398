package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"

	"github.com/nudge-engine/nudge/internal/identity"
	"github.com/nudge-engine/nudge/ops/demo"
)

// keyCommand is `nudge key`: it prints a key that node.json keeps, so that nobody has to open the
// file, and scripts can use it. A key that is set by a variable goes first, as it does for the
// server.
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
		return k.missing(setting, errors.Is(err, os.ErrNotExist))
	}
	_, err = fmt.Fprintln(out.out, key)
	return err
}

// missing returns the error for a key that is in neither place, with what to do. setting is the
// variable that could set it; noServer says that no server ever started on the directory.
func (k *keyCommand) missing(setting string, noServer bool) error {
	path, hint := identity.Path(k.DataDir), ""
	// The demo gives its server a key that is in the documentation.
	if k.Name == "write" {
		hint = "; that of the demo (make run) is " + demo.DefaultKey
	}
	if noServer {
		return fmt.Errorf("there is no %s, where a server keeps the keys that it made: name its data directory with "+
			"--data-dir or NUDGE_DATA_DIR, or set %s%s", path, setting, hint)
	}
	return fmt.Errorf("%s has no %s key: its server was started with a key of its own, in %s or its configuration "+
		"file: use that one%s", path, k.Name, setting, hint)
}
