package sim

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/nudge-engine/nudge/sink/warehouse"
	"github.com/nudge-engine/nudge/stream"
)

// collector drives the production warehouse.Writer, one block at a time: each
// seam that a block passes cancels the context that Run goes on under, so Run
// makes at most one block and returns. No goroutine starts, and no pause is
// waited for, because a pause gives way to the end of the context.
type collector struct {
	w       *World
	state   stream.Stream
	memory  *warehouse.Memory
	writer  *warehouse.Writer
	stop    context.CancelFunc
	planned bool
	failed  bool // a seam failed during this block
	resent  bool // this block was sealed before, so what came since is still to do
}

func newCollector(w *World) (*collector, error) {
	state, err := w.log.Open(context.Background(), "WAREHOUSE", streamOptions())
	if err != nil {
		return nil, err
	}
	c := &collector{w: w, state: state, memory: warehouse.NewMemory()}
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
				p.shown = max(p.shown, n.owner.Acked().Seq)
				return n.owner.Acked().Seq
			}
			return 0
		}}
	}
	c.writer, err = warehouse.NewWriter(warehouse.WriterConfig{
		Sequential: true, MaxFrames: c.w.opt.Block,
		Warehouse: stopping{c.memory, c},
		State:     stoppingState{c.state, c}, Sources: sources, LogID: "sim", Logger: slog.New(slog.DiscardHandler),
	})
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
	err := s.Memory.Insert(ctx, token, t)
	s.c.failed = s.c.failed || err != nil
	return err
}

// Has implements warehouse.Warehouse.
func (s stopping) Has(ctx context.Context, table string, block uint64) (uint64, error) {
	s.c.stop()
	s.c.w.mark(reachSealed)
	rows, err := s.Memory.Has(ctx, table, block)
	s.c.failed, s.c.resent = s.c.failed || err != nil, true
	return rows, err
}

// stoppingState ends the run when a position is saved.
type stoppingState struct {
	stream.Stream
	c *collector
}

// Append implements stream.Stream; it may fail before or after the message is stored.
func (s stoppingState) Append(a stream.Append, done func(uint64, error)) {
	s.c.stop()
	if s.c.w.hit(s.c.w.opt.Insert) {
		s.c.failed = true
		done(0, errLost)
		return
	}
	s.Stream.Append(a, func(seq uint64, err error) {
		if err == nil && s.c.w.hit(s.c.w.opt.Insert) {
			err = errLost
		}
		s.c.failed = s.c.failed || err != nil
		done(seq, err)
	})
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

// block lets the writer make one block. There is another at once when this one
// failed or wrote something, or came after one that failed, whose rest it was.
// Positions alone would not do: the writer shows them late after a save that failed.
func (c *collector) block() {
	if slices.ContainsFunc(c.w.parts, (*partition).misses) { // the writer would wait for what it had seen
		c.w.after(retryPause, c.kick)
		return
	}
	var ctx context.Context
	ctx, c.stop = context.WithCancel(context.Background())
	before, again := c.writer.Rows(), c.failed
	c.failed, c.resent = false, false
	c.writer.Run(ctx)
	c.w.note("warehouse: block, %d rows, failed %v", c.writer.Rows()-before, c.failed)
	more := c.failed || c.resent || again || c.writer.Rows() > before || c.behind()
	if c.w.hit(c.w.opt.SinkCrash) {
		c.w.note("warehouse writer crashes")
		c.w.fail(c.start())
		more = true
	}
	if more {
		c.kick()
	}
}

// behind says whether frames wait that the writer may have: a block can be without
// rows and not the last.
func (c *collector) behind() bool {
	return slices.ContainsFunc(c.w.parts, func(p *partition) bool {
		n := p.newest()
		return n != nil && c.writer.Position(p.number) < n.owner.Acked().Seq
	})
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
		for _, at := range slices.SortedFunc(maps.Keys(want[name]), place.compare) {
			if !seen[at] {
				return fmt.Errorf("warehouse: %s has %d of %d rows, none of %+v", name, len(seen), len(want[name]), at)
			}
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

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.partition, o.partition), cmp.Compare(p.seq, o.seq), cmp.Compare(p.index, o.index))
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
