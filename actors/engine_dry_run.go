package actors

import (
	"context"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/storage"
)

// dryRunSlice is how many customers a shard is asked for at a time. A dry run goes over
// all customers, and events must not wait for it.
const dryRunSlice = 500

// Preview returns what Apply would do with the documents, without doing it. It goes over
// the customers of every partition in slices between their records, so it is no picture
// of one instant.
func (c *Controller) Preview(ctx context.Context, workspace string, docs []program.Document) (
	applied []Applied, p shard.Preview, err error,
) {
	c.mu.Lock()
	applied, changed := c.changes(workspace, docs)
	engine := c.engine
	c.mu.Unlock()
	for partition := range engine.hosts {
		one, err := engine.dryRun(ctx, partition, &control.Apply{Workspace: workspace, Documents: changed})
		if err != nil {
			return nil, shard.Preview{}, err
		}
		p.Add(&one)
	}
	return applied, p, nil
}

// dryRunBase is how a shard stands when a dry run begins.
type dryRunBase struct {
	defs   []byte   // definitions in force, stored form
	place  uint64   // where in the log the documents would come
	now    int64    // log time, ms
	memory []string // ids of the workspace's customers in memory
}

// dryRun counts what applying a would do to the customers of one partition: first those
// in memory, then those in the store that were not among them.
func (e *Engine) dryRun(ctx context.Context, partition int, a *control.Apply) (shard.Preview, error) {
	h := e.host(partition)
	info, err := e.config.Events[partition].Info(ctx)
	if err != nil {
		return shard.Preview{}, err
	}
	from, err := ask(ctx, h, func(o *shard.Owner) (dryRunBase, error) {
		s := o.Shard
		return dryRunBase{
			defs: s.Definitions(), place: s.Applied().Seq + 1, now: s.Now(), memory: s.InMemory(a.Workspace),
		}, nil
	})
	if err != nil {
		return shard.Preview{}, err
	}
	s, err := shard.NewDryRun(e.config.Compile, from.defs, a, from.place, max(info.First, 1), from.now)
	if err != nil {
		return shard.Preview{}, err
	}
	// A customer in memory may be in the store as well, in an older form.
	seen := make(map[string]bool, len(from.memory))
	for len(from.memory) > 0 {
		n := min(dryRunSlice, len(from.memory))
		if err := e.dryRunIDs(ctx, h, s, a.Workspace, from.memory[:n]); err != nil {
			return shard.Preview{}, err
		}
		for _, id := range from.memory[:n] {
			seen[id] = true
		}
		from.memory = from.memory[n:]
	}
	// The store is read beside the actor. A customer who is loaded meanwhile is asked of
	// the shard first, so the newest form counts in either case.
	for after := ""; ; {
		ids, err := storage.CustomersAfter(e.config.Store, partition, a.Workspace, after, dryRunSlice)
		if err != nil || len(ids) == 0 {
			return s.Preview(), err
		}
		after = ids[len(ids)-1]
		var stored []string
		for _, id := range ids {
			if !seen[id] {
				stored = append(stored, id)
			}
		}
		if err := e.dryRunIDs(ctx, h, s, a.Workspace, stored); err != nil {
			return shard.Preview{}, err
		}
	}
}

// dryRunIDs adds customers to a dry run, as they are in memory, else as the store has
// them.
func (e *Engine) dryRunIDs(ctx context.Context, h *host, s *shard.DryRun, workspace string, ids []string) error {
	values, err := ask(ctx, h, func(o *shard.Owner) ([][]byte, error) {
		values := make([][]byte, len(ids))
		for i, id := range ids {
			values[i] = o.Shard.Encoded(workspace, id)
		}
		return values, nil
	})
	if err != nil {
		return err
	}
	for i, value := range values {
		if value == nil { // passivated, and so as the store has it
			if value, err = e.config.Store.Get(storage.CustomerKey(h.partition, workspace, ids[i])); err != nil {
				return err
			}
		}
		if value == nil {
			continue // gone meanwhile
		}
		if err := s.Customer(value); err != nil {
			return err
		}
	}
	return nil
}
