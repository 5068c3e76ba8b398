package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/nudge-engine/nudge/internal/identity"
)

// makePrivate creates the directories of the data, or closes those that exist to other users
// of the machine: they hold customers and keys. An error names data_dir.
func makePrivate(c *Settings) error {
	// The directories are created here, with these rights, and not by the parts that use them.
	for _, dir := range []string{c.DataDir, c.path("log"), c.path("state"), c.path("clickhouse")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("data_dir: %w", err)
		}
		if err := tighten(dir, 0o700); err != nil {
			return err
		}
	}
	err := tighten(identity.Path(c.DataDir), 0o600)
	// At the first start there is no node.json yet; it is created with these rights.
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// tighten removes the rights that mode does not grant from a file or directory. One that
// belongs to another user, as the mount point of a volume can, cannot be changed; that is an
// error only if every user of the machine may use it.
func tighten(path string, mode fs.FileMode) error {
	stat, err := os.Stat(path)
	if err != nil {
		return err
	}
	if stat.Mode().Perm()&^mode == 0 {
		return nil
	}
	if err := os.Chmod(path, mode); err != nil && stat.Mode().Perm()&0o007 != 0 {
		return fmt.Errorf("data_dir: every user of this machine may use %s: run chmod %o on it: %w", path, mode, err)
	}
	return nil
}
