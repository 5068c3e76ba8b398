package actors

import (
	"context"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/campaign/output"
)

// mayLeaveMerged asks the shard of the known customer into whom the customer of a
// delivery merged.
func (e *Engine) mayLeaveMerged(ctx context.Context, d *output.Delivery, into string) (bool, error) {
	h := e.hostOf(d.Workspace, into)
	return ask(ctx, h, func(o *shard.Owner) (bool, error) { return o.MayLeaveMerged(d, into, h.end) })
}

// Erased reports whether a customer was erased, and how far their partition is: the last
// log sequence applied, and the last effect message computed up to there. The caller
// waits until the sinks have passed both before it deletes rows.
func (e *Engine) Erased(ctx context.Context, workspace, customer string) (is bool, applied, emitted uint64, err error) {
	is, err = ask(ctx, e.hostOf(workspace, customer), func(o *shard.Owner) (bool, error) {
		applied = o.Shard.Applied().Seq
		emitted, _ = o.Shard.Emitted()
		return o.Shard.Erased(workspace, customer), nil
	})
	return is, applied, emitted, err
}
