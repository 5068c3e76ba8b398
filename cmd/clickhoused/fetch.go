package main

import (
	"context"
	"fmt"
	"os"

	"github.com/nudge-engine/nudge/internal/enginefetch"
)

type fetchCommand struct {
	Print bool `help:"${print}"`
}

func (c *fetchCommand) Run(ctx context.Context) error {
	f, err := enginefetch.New(os.Stderr)
	if err != nil {
		return err
	}
	if c.Print {
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

func errOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
