package actors

import (
	"context"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// Explain asks the shard of a trace's customer how the customer stands now, and returns
// what it adds; nil if there is no such customer. The trace is filled in by the shard's
// actor, so it must not be read before Explain returns, not at all if that is an error,
// and not be given twice.
func (e *Engine) Explain(ctx context.Context, t *trace.Trace) (*shard.Explanation, error) {
	now, err := e.config.Clock()
	if err != nil {
		now = 0 // the log time is what there is
	}
	return ask(ctx, e.hostOf(t.Workspace, t.Customer), func(o *shard.Owner) (*shard.Explanation, error) {
		return o.Explain(t, now)
	})
}
