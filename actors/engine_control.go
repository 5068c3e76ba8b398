package actors

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/actors/shard/experiment"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/stream"
)

// ErrPartitions means that the log was created with another number of partitions.
var ErrPartitions = errors.New("actors: another number of partitions")

// maxControl bounds a control record: it must fit a frame beside others.
const maxControl = 400 << 10

// Controller writes control records and sees to it that every partition has
// them (R12). It is safe for concurrent use.
type Controller struct {
	ctl       stream.Stream
	publisher *stream.Publisher
	engine    *Engine

	mu      sync.Mutex
	records [][]byte // record k at k-1
	genesis *control.Genesis
	skips   []control.Record
	decided map[experiment.Key]control.Decide // the last winner of each experiment
	blocked map[experiment.Key]control.Decide // the last block of each experiment

	backfills backfills

	seen     sync.RWMutex                           // guards what is below; held briefly, unlike mu
	revision uint64                                 // of docs
	docs     map[string]map[string]program.Document // workspace -> kind/name -> latest
	names    map[documentKind]map[string]bool
	all      map[documentKey]program.Document // every version ever applied
}

// documentKey names one version of a document.
type documentKey struct {
	workspace, kind, name string
	version               uint32
}

// OpenController reads the control stream. On an empty one it writes the genesis
// record g; on another it checks that the log fits this program.
func OpenController(ctx context.Context, ctl stream.Stream, g control.Genesis) (*Controller, error) {
	c := &Controller{
		ctl:   ctl,
		docs:  map[string]map[string]program.Document{},
		names: map[documentKind]map[string]bool{},
		all:   map[documentKey]program.Document{},

		decided: map[experiment.Key]control.Decide{}, blocked: map[experiment.Key]control.Decide{},
	}
	if err := c.read(ctx); err != nil {
		return nil, err
	}
	if c.genesis == nil {
		if err := c.append(ctx, &control.Record{Genesis: &g}); err != nil {
			return nil, err
		}
	}
	if c.genesis.Partitions != g.Partitions {
		return nil, fmt.Errorf("%w: the log has %d, the configuration says %d; the number is fixed when a log is "+
			"created, so configure %d", ErrPartitions, c.genesis.Partitions, g.Partitions, c.genesis.Partitions)
	}
	return c, nil
}

// Genesis is the first control record.
func (c *Controller) Genesis() control.Genesis { return *c.genesis }

// read folds the records that are in the stream and not known yet.
func (c *Controller) read(ctx context.Context) error {
	info, err := c.ctl.Info(ctx)
	if err != nil {
		return err
	}
	for k := uint64(len(c.records) + 1); k <= info.Last; k++ {
		m, err := c.ctl.Get(ctx, k)
		if err != nil {
			return err
		}
		if err := c.fold(m.Data); err != nil {
			return err
		}
	}
	return nil
}

func (c *Controller) fold(data []byte) error {
	r, err := control.Decode(data)
	if err != nil {
		return err
	}
	if want := uint64(len(c.records) + 1); r.K != want {
		return fmt.Errorf("actors: control record %d stands at %d", r.K, want)
	}
	c.records = append(c.records, data)
	if r.Genesis != nil {
		c.genesis = r.Genesis
	}
	c.backfills.fold(&r)
	if r.Skip != nil {
		c.skips = append(c.skips, r)
	}
	if r.Decide != nil {
		c.foldDecide(r.Decide)
	}
	if r.Apply == nil {
		return nil
	}
	c.seen.Lock()
	defer c.seen.Unlock()
	c.revision++
	docs := c.docs[r.Apply.Workspace]
	if docs == nil {
		docs = map[string]program.Document{}
		c.docs[r.Apply.Workspace] = docs
	}
	for _, d := range r.Apply.Documents {
		docs[d.Kind+"/"+d.Name] = d
		c.note(r.Apply.Workspace, &d)
		c.all[documentKey{r.Apply.Workspace, d.Kind, d.Name, d.Version}] = d
	}
	return nil
}

func (c *Controller) append(ctx context.Context, r *control.Record) error {
	r.K = uint64(len(c.records) + 1)
	data := r.Encode()
	if len(data) > maxControl {
		return fmt.Errorf("actors: a definition of %d bytes; at most %d are allowed", len(data), maxControl)
	}
	a := stream.Append{Data: data, Conditional: true, After: r.K - 1}
	if _, err := stream.AppendWait(ctx, c.ctl, a); err != nil {
		// It may be stored all the same, or somebody else's: what is there holds.
		again, cancel := context.WithTimeout(context.WithoutCancel(ctx), askLimit)
		defer cancel()
		return errors.Join(fmt.Errorf("actors: control record %d: %w", r.K, err), c.read(again))
	}
	return c.fold(data)
}

// Skips are the records of a partition that are passed over. An engine must be
// started with all of them.
func (c *Controller) Skips(partition int) control.Skips {
	c.mu.Lock()
	defer c.mu.Unlock()
	return control.SkipsOf(c.skips, partition)
}

// Skip has a record passed over from the next start of its partition on.
func (c *Controller) Skip(ctx context.Context, s control.Skip) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.append(ctx, &control.Record{Skip: &s})
}

// Attach gives the controller the engine and completes copies that a crash cut off.
func (c *Controller) Attach(ctx context.Context, e *Engine, p *stream.Publisher) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.engine, c.publisher = e, p
	return c.copy(ctx)
}

// copy brings every partition up to the last record and waits until it is applied.
func (c *Controller) copy(ctx context.Context) error {
	last := uint64(len(c.records))
	if err := c.replicate(ctx, last); err != nil {
		return err
	}
	for p := range c.publisher.Partitions() {
		for c.engine.Control(p) < last {
			if err := c.engine.Halted(p); err != nil {
				break // it takes its copies when it is brought back
			}
			select {
			case <-c.engine.Changed(p):
			case <-time.After(wakeEvery):
			case <-ctx.Done():
				return fmt.Errorf("actors: partition %d has not applied control record %d: %w", p, last, ctx.Err())
			}
		}
	}
	return nil
}

// Applied is one document as apply left it.
type Applied struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Version uint32 `json:"version"`
	Changed bool   `json:"changed"`
}

// Apply puts documents in force: those that differ from what is in force get the
// next version. It returns when every partition has them.
func (c *Controller) Apply(ctx context.Context, workspace string, docs []program.Document) ([]Applied, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	result, changed := c.changes(workspace, docs)
	for i := range changed {
		if c.backfills.waits(workspace, &changed[i]) {
			return nil, fmt.Errorf("%w: %s %s waits for it", ErrBackfill, changed[i].Kind, changed[i].Name)
		}
	}
	return result, c.put(ctx, workspace, changed)
}

// put writes documents in as many control records as they need, and has them applied.
func (c *Controller) put(ctx context.Context, workspace string, changed []program.Document) error {
	for len(changed) > 0 {
		n := fitting(changed)
		record := &control.Record{Apply: &control.Apply{Workspace: workspace, Documents: changed[:n]}}
		if err := c.append(ctx, record); err != nil {
			return err
		}
		changed = changed[n:]
	}
	return c.copy(ctx)
}

// changes are the documents that differ from what is in force, with their next version,
// and how each of docs would stand.
func (c *Controller) changes(workspace string, docs []program.Document) (
	result []Applied, changed []program.Document,
) {
	for _, d := range docs {
		old, known := c.docs[workspace][d.Kind+"/"+d.Name]
		a := Applied{Kind: d.Kind, Name: d.Name, Version: old.Version}
		if !known || old.Source != d.Source || !shard.SameNeeds(old.Needs, d.Needs) {
			a.Version, a.Changed = old.Version+1, true
			d.Version = a.Version
			changed = append(changed, d)
		}
		result = append(result, a)
	}
	return result, changed
}

// fitting is how many of the documents go into one control record: at least one.
func fitting(docs []program.Document) int {
	size := 0
	for n := range docs {
		// Escaping can double a text; names and needs are small beside it.
		if size += 2*len(docs[n].Source) + 1024; size > maxControl && n > 0 {
			return n
		}
	}
	return len(docs)
}

// Documents are the documents in force, in no order.
func (c *Controller) Documents(workspace string) []program.Document {
	c.seen.RLock()
	defer c.seen.RUnlock()
	docs := make([]program.Document, 0, len(c.docs[workspace]))
	for _, d := range c.docs[workspace] {
		docs = append(docs, d)
	}
	return docs
}

// Current is a document in force; ok is false when there is none.
func (c *Controller) Current(workspace, kind, name string) (d program.Document, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, ok = c.docs[workspace][kind+"/"+name]
	return d, ok
}

// Version is a document of one version; ok is false when there is none.
func (c *Controller) Version(workspace, kind, name string, version uint32) (d program.Document, ok bool) {
	c.seen.RLock()
	defer c.seen.RUnlock()
	d, ok = c.all[documentKey{workspace, kind, name, version}]
	return d, ok
}
