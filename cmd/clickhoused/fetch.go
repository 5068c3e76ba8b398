package main

import (
	"context"
	"fmt"
	"os"

	"github.com/nudge-engine/nudge/internal/enginefetch"
)

// fetchCommand is `clickhoused fetch`: it brings the engine's library to this machine, before
// a server needs it.
type fetchCommand struct {
	Print bool `help:"${print}"`
}

// Run fetches the library if it is missing and prints its path. With --print it fetches
// nothing, and fails when it is missing.
func (c *fetchCommand) Run(ctx context.Context) error {
	f, err := enginefetch.New(os.Stderr)
	if err != nil {
		return err
	}
	if c.Print {
		// Also when it is not there: scripts want to know where it would be.
		fmt.Println(f.Target())
		if ok, err := f.Present(); err != nil || !ok {
			return fmt.Errorf("the ClickHouse engine is not at %s yet: run `clickhoused fetch` (%w)", f.Target(),
				errOr(err, os.ErrNotExist))
		}
		return nil
	}
	path, err := f.Path(ctx)
	if err != nil {
		return err
	}
	fmt.Println(path)
	return nil
}

// errOr returns err, or otherwise when err is nil.
func errOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
