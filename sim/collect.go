package sim

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/nudge-engine/nudge/sink/warehouse"
	"github.com/nudge-engine/nudge/storage"
)

// collector drives the production warehouse.Writer, one block at a time: each
// seam that a block passes cancels the context that Run goes on under, so Run
// makes at most one block and returns. No goroutine starts, and no pause is
// waited for, because a pause gives way to the end of the context.
type collector struct {
	w       *World
	store   *storage.Memory
	memory  *warehouse.Memory
	writer  *warehouse.Writer
	stop    context.CancelFunc
	planned bool
}

func newCollector(w *World) (*collector, error) {
	c := &collector{w: w, store: storage.NewMemory(), memory: warehouse.NewMemory()}
	c.memory.Fail = func() bool { return w.hit(w.opt.Insert) }
	c.memory.Lie = func() bool { return w.hit(w.opt.Insert) }
	return c, c.start()
}

func (c *collector) start() (err error) {
	sources := make([]warehouse.Source, len(c.w.parts))
	for i, p := range c.w.parts {
		sources[i] = warehouse.Source{Events: p.events, Effects: p.effects, Acked: func() uint64 {
			c.stop()
			if n := p.newest(); n != nil {
				return n.owner.Acked().Seq
			}
			return 0
		}}
	}
	c.writer, err = warehouse.NewWriter(warehouse.WriterConfig{Warehouse: stopping{c.memory, c},
		Store: stoppingStore{c.store, c}, Sources: sources, LogID: "sim", Logger: slog.New(slog.DiscardHandler)})
	return err
}

// stopping ends the run when the warehouse is asked.
type stopping struct {
	*warehouse.Memory
	c *collector
}

// Insert implements warehouse.Warehouse.
func (s stopping) Insert(ctx context.Context, token string, t *warehouse.Table) error {
	s.c.stop()
	return s.Memory.Insert(ctx, token, t)
}

// Has implements warehouse.Warehouse.
func (s stopping) Has(ctx context.Context, table string, block uint64) (uint64, error) {
	s.c.stop()
	s.c.w.mark(reachSealed)
	return s.Memory.Has(ctx, table, block)
}

// stoppingStore ends the run when a position is saved.
type stoppingStore struct {
	*storage.Memory
	c *collector
}

// Commit implements storage.Store.
func (s stoppingStore) Commit(b *storage.Batch) error {
	s.c.stop()
	return s.Memory.Commit(b)
}

// kick plans a block.
func (c *collector) kick() {
	if c.planned {
		return
	}
	c.planned = true
	c.w.after(500+c.w.delay(), func() {
		c.planned = false
		c.block()
	})
}

func (c *collector) block() {
	var ctx context.Context
	ctx, c.stop = context.WithCancel(context.Background())
	before := c.writer.Failures()
	c.writer.Run(ctx)
	failed := c.writer.Failures() > before
	c.w.note("warehouse: block, failed %v", failed)
	if c.w.hit(c.w.opt.SinkCrash) {
		c.w.note("warehouse writer crashes")
		c.w.fail(c.start())
		failed = true
	}
	if failed || c.behind() {
		c.kick()
	}
}

// behind says that there is more to write at once.
func (c *collector) behind() bool {
	for i, p := range c.w.parts {
		if n := p.newest(); n != nil && c.writer.Position(i) < n.owner.Acked().Seq {
			return true
		}
	}
	return false
}

// check compares the rows in the warehouse with the log: each once, none missing.
func (c *collector) check(want map[string]map[place]bool) error {
	for _, name := range []string{"events", "deliveries", "decisions", "chain_states", "goals", "dead_letters"} {
		seen := map[place]bool{}
		for _, t := range c.memory.Tables[name] {
			for i := range t.Rows {
				at := placeOf(t, i)
				if seen[at] {
					return fmt.Errorf("warehouse: %s has the row of %+v twice", name, at)
				}
				if !want[name][at] {
					return fmt.Errorf("warehouse: %s has a row of %+v, where there is none", name, at)
				}
				seen[at] = true
			}
		}
		if len(seen) != len(want[name]) {
			return fmt.Errorf("warehouse: %s has %d rows, should have %d", name, len(seen), len(want[name]))
		}
	}
	return nil
}

// place is where a row comes from.
type place struct {
	partition int
	seq       uint64
	index     int
}

func placeOf(t *warehouse.Table, row int) (at place) {
	for _, column := range t.Columns {
		switch column.Name {
		case "partition":
			if v, ok := column.Values.([]uint16); ok {
				at.partition = int(v[row])
			}
		case "seq":
			if v, ok := column.Values.([]uint64); ok {
				at.seq = v[row]
			}
		case "idx":
			if v, ok := column.Values.([]uint32); ok {
				at.index = int(v[row])
			}
		}
	}
	return at
}
