package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/nudge-engine/nudge/internal/identity"
)

// makePrivate makes the directories of the data, or closes those that are there to other
// users: customers and keys are in them.
func makePrivate(c *Settings) error {
	for _, dir := range []string{c.DataDir, c.path("log"), c.path("state"), c.path("clickhouse")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("data_dir: %w", err)
		}
		if err := tighten(dir, 0o700); err != nil {
			return err
		}
	}
	err := tighten(identity.Path(c.DataDir), 0o600)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// tighten takes rights of other users away. A directory that belongs to somebody else, as a
// volume can, must at least not be open to everybody.
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
