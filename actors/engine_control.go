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

// ErrPartitions reports that the log was created with another number of partitions than
// is configured.
var ErrPartitions = errors.New("actors: another number of partitions")

// maxControl bounds a control record, bytes: a copy must fit into a frame (512 KiB)
// beside other records.
const maxControl = 400 << 10

// Controller writes control records and copies them into every partition. The stream CTL
// is what counts: a record in it is decided, and whatever crashes, its copies are
// completed at the next start. A Controller is safe for concurrent use.
//
// One mutex, mu, is held through a whole change, appends and copies included, so that
// changes come one after the other. What deliveries and events look up is under seen,
// which is held briefly.
type Controller struct {
	ctl stream.Stream // CTL
	// publisher and engine are set by Attach.
	publisher *stream.Publisher
	engine    *Engine

	// mu guards what follows, up to seen, and orders changes.
	mu      sync.Mutex
	records [][]byte // encoded; record k at k-1
	// genesis is control record 1, once there is one.
	genesis *control.Genesis
	skips   []control.Record // all records of kind Skip
	// decided and blocked are the last winner and the last block of each experiment.
	decided map[experiment.Key]control.Decide
	blocked map[experiment.Key]control.Decide

	backfills backfills

	// seen guards what is below. A change holds it only while it folds a record.
	seen     sync.RWMutex
	revision uint64 // of docs; counts their changes
	// docs are the documents in force: workspace -> kind/name -> document.
	docs  map[string]map[string]program.Document
	names map[documentKind]map[string]bool // names of the documents in force, by kind
	// all has every version ever applied: chains and deliveries of earlier versions need
	// their texts.
	all map[documentKey]program.Document
}

// documentKey names one version of a document.
type documentKey struct {
	workspace, kind, name string
	version               uint32
}

// OpenController reads the control stream. On an empty one it writes the genesis record
// g; on another it checks that the number of partitions is that of g (ErrPartitions).
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

// Genesis returns the first control record.
func (c *Controller) Genesis() control.Genesis { return *c.genesis }

// read folds the records of the stream that are not known yet.
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

// fold applies an encoded record to what the controller knows.
func (c *Controller) fold(data []byte) error {
	r, err := control.Decode(data)
	if err != nil {
		return err
	}
	// The stream numbers its messages, and record k is message k.
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

// append numbers a record, appends it to the stream and folds it. The append is
// conditional, so of two owners that write at once one fails. After a failure the stream
// is read: an append whose answer was lost is folded like any other, and the caller, who
// gets the error, finds it applied when asking again.
func (c *Controller) append(ctx context.Context, r *control.Record) error {
	r.K = uint64(len(c.records) + 1)
	// A record that is too large must fail before it is in the stream.
	data := r.Encode()
	if len(data) > maxControl {
		return fmt.Errorf("actors: a definition of %d bytes; at most %d are allowed", len(data), maxControl)
	}
	a := stream.Append{Data: data, Conditional: true, After: r.K - 1}
	if _, err := stream.AppendWait(ctx, c.ctl, a); err != nil {
		// ctx may have ended already, and what is in the stream must be known all the
		// same.
		again, cancel := context.WithTimeout(context.WithoutCancel(ctx), askLimit)
		defer cancel()
		return errors.Join(fmt.Errorf("actors: control record %d: %w", r.K, err), c.read(again))
	}
	return c.fold(data)
}

// Skips returns the records of a partition that are passed over. An engine must be
// started with all of them.
func (c *Controller) Skips(partition int) control.Skips {
	c.mu.Lock()
	defer c.mu.Unlock()
	return control.SkipsOf(c.skips, partition)
}

// Skip writes a record that makes a partition pass over another from its next start on.
func (c *Controller) Skip(ctx context.Context, s control.Skip) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.append(ctx, &control.Record{Skip: &s})
}

// Attach gives the controller a started engine and the publisher, and completes the
// copies that a crash cut off. Changes need it; reading does not.
func (c *Controller) Attach(ctx context.Context, e *Engine, p *stream.Publisher) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.engine, c.publisher = e, p
	return c.copy(ctx)
}

// copy brings every partition up to the last control record and waits until it is applied
// everywhere. Halted partitions are not waited for.
func (c *Controller) copy(ctx context.Context) error {
	last := uint64(len(c.records))
	if err := c.replicate(ctx, last); err != nil {
		return err
	}
	for p := range c.publisher.Partitions() {
		// An apply is answered only when every partition would act by it.
		for c.engine.Control(p) < last {
			if err := c.engine.Halted(p); err != nil {
				break // it takes its copies when it is brought back
			}
			select {
			case <-c.engine.Changed(p):
			// Changed is signalled best effort.
			case <-time.After(wakeEvery):
			case <-ctx.Done():
				return fmt.Errorf("actors: partition %d has not applied control record %d: %w", p, last, ctx.Err())
			}
		}
	}
	return nil
}

// Applied is one document as an apply left it.
type Applied struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Version uint32 `json:"version"` // in force, from 1
	Changed bool   `json:"changed"` // it differed from what was in force
}

// Apply puts documents in force: those that differ from what is in force get the next
// version. It returns when every running partition has applied them. A document that
// waits for a backfill is refused with ErrBackfill. After another error some of the
// documents may be in force; to apply them again is harmless.
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

// put writes documents in as many control records as they need and waits until they are
// applied.
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

// changes returns the documents that differ from what is in force, with their next
// version, and for each of docs the outcome that an apply would have.
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

// fitting returns how many of the documents fit into one control record, at least one.
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

// Documents returns the documents in force in a workspace, in no order.
func (c *Controller) Documents(workspace string) []program.Document {
	c.seen.RLock()
	defer c.seen.RUnlock()
	docs := make([]program.Document, 0, len(c.docs[workspace]))
	for _, d := range c.docs[workspace] {
		docs = append(docs, d)
	}
	return docs
}

// Current returns a document in force; ok is false if there is none. It waits for a
// change under way, unlike Document.
func (c *Controller) Current(workspace, kind, name string) (d program.Document, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, ok = c.docs[workspace][kind+"/"+name]
	return d, ok
}

// Version returns one version of a document, in force or not; ok is false if there is
// none.
func (c *Controller) Version(workspace, kind, name string, version uint32) (d program.Document, ok bool) {
	c.seen.RLock()
	defer c.seen.RUnlock()
	d, ok = c.all[documentKey{workspace, kind, name, version}]
	return d, ok
}
