package main

import (
	"context"
	"time"
)

// knownLimit is how long an alias call waits for the shard of its previousId.
const knownLimit = 5 * time.Second

// known says whether a customer of that id was seen.
func (n *node) known(workspace, id string) (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), knownLimit)
	defer cancel()
	view, err := n.engine.View(ctx, workspace, id)
	return view != nil, err
}
