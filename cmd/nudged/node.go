package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/nudge-engine/nudge/actors"
	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/actors/shard/dedupe"
	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/ingest"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/internal/identity"
	"github.com/nudge-engine/nudge/internal/parts"
	"github.com/nudge-engine/nudge/internal/secret"
	"github.com/nudge-engine/nudge/server/admin"
	"github.com/nudge-engine/nudge/server/admission"
	"github.com/nudge-engine/nudge/server/catalog"
	"github.com/nudge-engine/nudge/server/child"
	"github.com/nudge-engine/nudge/server/deploy"
	"github.com/nudge-engine/nudge/server/erasure"
	"github.com/nudge-engine/nudge/server/retention"
	"github.com/nudge-engine/nudge/sink/dispatch"
	"github.com/nudge-engine/nudge/sink/warehouse"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// workspaceName is the one workspace there is.
const workspaceName = "default"

// Limits of waiting at start and stop.
const (
	applyLimit = time.Minute
	drainLimit = 30 * time.Second
	// stopLimit is longer than drainLimit; after a failure there may be nothing that
	// still answers.
	stopLimit   = 50 * time.Second
	failedLimit = 10 * time.Second
	lockEvery   = 200 * time.Millisecond
)

// node is a running server. Its parts are named in the order of the flow; stop
// ends them in that order.
type node struct {
	config  *Config
	log     *slog.Logger
	metrics *metrics.Set
	failed  chan error // what ends the server by itself
	lock    *dataLock
	keys    keys

	clock     *stream.Clock
	logStore  *stream.JetStream
	lease     stream.Lease
	store     *storage.Pebble
	parts     *parts.Register
	written   stream.Stream // how far rows were written
	rows      parts.Rows    // as they were before the embedded ClickHouse started
	events    []stream.Stream
	effects   []stream.Stream
	publisher *stream.Publisher
	inHand    *storage.InHand
	rendering *storage.Rendering
	held      map[int]error // partitions that must not start
	engine    *actors.Engine
	control   *actors.Controller
	catalog   *catalog.Catalog
	deployer  *deploy.Deployer
	child     *child.Process
	writer    *warehouse.Writer
	warehouse *warehouse.ClickHouse
	dispatch  *dispatch.Dispatcher
	guard     *admission.Guard
	eraser    *erasure.Eraser
	server    *ingest.Server
	api       *admin.API
	admin     *http.Server
	stats     *statsCache

	stopGuards, stopSinks context.CancelFunc
	guards, sinks         sync.WaitGroup
	caughtUp              []uint64 // log ends at start, by partition
	effectsAtStart        []uint64 // ends of the effect streams at start
	up                    atomic.Bool
	blocked               atomic.Int64 // experiments whose shares block a decision
}

// start brings the server up; on error what is up already must be stopped.
func start(ctx context.Context, c *Config, out io.Writer, log *slog.Logger) (*node, error) {
	n := &node{
		config: c, log: log, metrics: metrics.NewSet(), failed: make(chan error, 16),
		clock: stream.NewClock(c.ClockOffset),
	}
	for _, step := range []func(context.Context) error{
		n.openData, n.openAdmin, n.startChild, n.openLog, n.openStreams,
		n.openInHand, n.startEngine, n.startSinks, n.applyDir, n.openHTTP,
	} {
		if err := step(ctx); err != nil {
			return n, err
		}
	}
	n.attachAdmin()
	n.up.Store(true)
	n.tellReady()
	if n.keys.made { // where they are, and not what: this text lands in journals
		fmt.Fprintf(out, "keys were made and are kept in %[1]s; nudge key write, nudge key admin and "+
			"nudge key reader, each with --data-dir %[2]s, print them\n", identity.Path(c.DataDir), c.DataDir)
	}
	log.Info("ready", slog.String("events", c.HTTPListen), slog.String("admin", c.AdminListen),
		slog.Any("clickhouse", n.clickhouseURL()))
	return n, nil
}

// openData locks the data directory: one process a directory.
func (n *node) openData(ctx context.Context) error {
	if err := makePrivate(n.config); err != nil {
		return err
	}
	var err error
	if n.lock, err = takeLock(ctx, n.config.path("lock"), n.config.DataDir, n.log); err != nil {
		return err
	}
	// Before anything is written: data of another version is refused as it is.
	if err := storage.CheckDir(n.config.path("state"), n.log); err != nil {
		return err
	}
	if n.keys, err = loadKeys(n.config); err != nil {
		return err
	}
	if n.config.ClickhouseURL == "" {
		n.rows, err = parts.ReadRows(n.config.path("clickhouse"))
	}
	return err
}

// openLog opens the log and waits until this node may run it.
func (n *node) openLog(ctx context.Context) (err error) {
	if n.config.NatsURL == "" {
		n.logStore, err = stream.OpenEmbedded(stream.EmbeddedConfig{
			Dir: n.config.path("log"), NoSync: n.config.NoSync,
			Logger: n.log,
		})
	} else {
		n.logStore, err = stream.OpenURL(n.config.NatsURL.Reveal(), n.config.NatsReplicas, n.log)
	}
	if err != nil {
		return err
	}
	n.lease, err = n.logStore.Lease(ctx, "owner", n.keys.node)
	return err
}

// openStreams opens the streams and the control log; the number of partitions is
// what the log was created with.
func (n *node) openStreams(ctx context.Context) error {
	var err error
	if n.store, err = storage.OpenPebble(storage.PebbleConfig{Dir: n.config.path("state"), Logger: n.log}); err != nil {
		return err
	}
	if err := n.checkParts(ctx); err != nil {
		return err
	}
	ctl, err := n.parts.Open(ctx, stream.ControlStream, stream.Options{MaxBytes: 256 << 20})
	if err != nil {
		return err
	}
	n.control, err = actors.OpenController(ctx, ctl, control.Genesis{
		LogID: newID(), Partitions: n.config.Partitions,
		Semantics: effect.Semantics, DedupeIDs: dedupe.DefaultIDs,
	})
	if err != nil {
		return err
	}
	// Before any shard runs, so that a state without it means that it was lost.
	n.written, err = n.parts.Open(ctx, stream.WarehouseStream, stream.Options{MaxBytes: 64 << 20})
	if err != nil {
		return err
	}
	share := int64(n.config.LogBytes) / int64(n.config.Partitions)
	for p := range n.config.Partitions {
		ev, err := n.parts.Open(ctx, stream.EventStream(p), stream.Options{MaxBytes: share})
		if err != nil {
			return err
		}
		fx, err := n.parts.Open(ctx, stream.EffectStream(p), stream.Options{MaxBytes: share})
		if err != nil {
			return err
		}
		n.events, n.effects = append(n.events, ev), append(n.effects, fx)
	}
	n.publisher = stream.NewPublisher(n.events, n.clock.Now, n.log)
	return nil
}

// startEngine recovers the shards and takes the partitions over.
func (n *node) startEngine(ctx context.Context) error {
	lang, err := campaign.NewLanguage()
	if err != nil {
		return err
	}
	allowed, err := n.config.egress()
	if err != nil {
		return err
	}
	n.catalog = catalog.New(catalog.Config{
		Language: lang, Control: n.control, Egress: allowed.Except(n.logStore.Address()), Console: os.Stdout,
		Workspace: workspaceName,
	})
	for p := range n.events {
		events, err := n.events[p].Info(ctx)
		if err != nil {
			return err
		}
		effects, err := n.effects[p].Info(ctx)
		if err != nil {
			return err
		}
		n.caughtUp, n.effectsAtStart = append(n.caughtUp, events.Last), append(n.effectsAtStart, effects.Last)
	}
	skips := make([]control.Skips, len(n.events))
	for p := range skips {
		skips[p] = n.control.Skips(p)
	}
	n.engine = actors.NewEngine(actors.EngineConfig{
		Skips: skips, Mark: n.inHand.Mark, Held: n.held,
		Events: n.events, Effects: n.effects, Store: n.store,
		Semantics: effect.Semantics, Publisher: n.publisher, Compile: n.catalog.Compile, Clock: n.clock.Now,
		Node: n.keys.node, Epoch: n.lease.Epoch(),
		EraseKey: n.keys.erase,
		Logger:   n.log, MemoryLimit: int64(n.config.MemoryLimit), SnapshotEvery: n.config.SnapshotEvery,
		Checkpoints: n.config.CheckpointEvery, KeepBack: n.config.Checkpoints,
	})
	if err := n.engine.Start(ctx); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, applyLimit)
	defer cancel()
	if err := n.claim(limited); err != nil {
		return err
	}
	return n.control.Attach(limited, n.engine, n.publisher)
}

// claim writes to every partition that this node owns it from now on, and waits until
// the log has it.
func (n *node) claim(ctx context.Context) error {
	claim, err := json.Marshal(control.Claim{Node: n.keys.node, Epoch: n.lease.Epoch()})
	if err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	written := make(chan error, len(n.events))
	for p := range n.events {
		record := []stream.Record{{Kind: stream.KindClaim, Data: claim}}
		if err := n.publisher.Add(p, record, func(err error) { written <- err }); err != nil {
			return fmt.Errorf("claim of partition %d: %w", p, err)
		}
	}
	for range n.events {
		select {
		case err := <-written:
			if err != nil {
				return fmt.Errorf("claim: %w", err)
			}
		case <-ctx.Done():
			return fmt.Errorf("claim: %w", ctx.Err())
		}
	}
	return nil
}

// startSinks starts what reads behind the shards, and what watches over all.
func (n *node) startSinks(ctx context.Context) error {
	guarding, stopGuards := context.WithCancel(context.Background())
	sinking, stopSinks := context.WithCancel(context.Background())
	n.stopGuards, n.stopSinks = stopGuards, stopSinks
	var err error
	if n.child != nil {
		n.warehouse, err = warehouse.OpenOwn(n.child.Address(), n.child.Secret)
	} else {
		n.warehouse, err = warehouse.Open(n.clickhouseURL().Reveal(), false)
	}
	if err != nil {
		return err
	}
	sources := make([]warehouse.Source, len(n.events))
	for p := range sources {
		sources[p] = warehouse.Source{
			Events: n.events[p], Effects: n.effects[p],
			Acked: func() uint64 { return n.engine.Acked(p) },
		}
	}
	if n.writer, err = warehouse.NewWriter(warehouse.WriterConfig{
		Warehouse: n.warehouse, Sources: sources,
		State: n.written, LogID: n.control.Genesis().LogID, Logger: n.log,
	}); err != nil {
		return err
	}
	if n.dispatch, err = dispatch.New(dispatch.Config{
		Log:       n.parts,
		Effects:   n.effects,
		Store:     n.store,
		Publisher: n.publisher,
		MaySend:   n.mayLeave, MaySendAll: n.engine.MayLeaveAll,
		Texts:   n.catalog.Texts,
		Channel: n.catalog.Channel, Rendering: n.rendering,
		MaxBytes: 1 << 30,
		Logger:   n.log,
		Sent:     n.countSent,
	}); err != nil {
		return err
	}
	n.deployer = deploy.New(deploy.Config{
		Control: n.control, Catalog: n.catalog, Dispatch: n.dispatch, Workspace: workspaceName, Logger: n.log,
	})
	if err := n.completeParts(); err != nil {
		return err
	}
	if err := n.checkPositions(ctx); err != nil {
		return err
	}
	n.guard, n.stats = n.newGuard(), newStatsCache(n)
	n.sinks.Go(func() { n.writer.Run(sinking) })
	n.sinks.Go(func() { n.dispatch.Run(sinking) })
	n.guards.Go(func() { n.guard.Run(guarding) })
	n.guards.Go(func() { n.newTrimmer().Run(guarding) })
	n.guards.Go(func() { n.decide(guarding) })
	n.guards.Go(func() { n.deployer.RunBackfills(guarding) })
	if n.eraser, err = erasure.Open(erasure.Config{
		Engine: n.engine, Publisher: n.publisher, Writer: n.writer, Warehouse: n.warehouse, Store: n.store,
		Partitions: len(n.events), Workspace: workspaceName, Key: n.keys.erase, Retention: n.config.Retention,
		Logger: n.log,
	}); err != nil {
		return err
	}
	n.guards.Go(func() { n.eraser.Run(guarding) })
	if n.config.NatsURL != "" { // nobody else can run an embedded log: the directory is locked
		n.guards.Go(func() { n.watchLease(guarding) })
	}
	n.registerMetrics()
	return nil
}

// newGuard makes what decides whether events are taken. It ends a server whose embedded log
// is unhealthy for long: that does not recover from a write error, but a restart does. A log
// elsewhere may come back.
func (n *node) newGuard() *admission.Guard {
	return admission.New(admission.Config{
		Events: n.events, Effects: n.effects, Halted: n.engine.Halted, Healthy: n.logStore.Healthy,
		DataDir: n.config.DataDir, MinFree: n.config.MinFree, Logger: n.log,
		Dead: func(err error) {
			if n.config.NatsURL != "" {
				return
			}
			select {
			case n.failed <- err:
			default:
			}
		},
	})
}

// newTrimmer makes what trims the log.
func (n *node) newTrimmer() *retention.Trimmer {
	return retention.New(retention.Config{
		Events: n.events, Effects: n.effects, Keep: n.config.Retention,
		Check: n.engine.CheckContinuity, Halted: n.engine.Halted, Logger: n.log,
		Needs: func(p int) retention.Needs {
			needs := retention.Needs{
				EventsWithoutRows:  n.engine.SavedSeq(p),
				EffectsWithoutRows: min(n.engine.SavedEffect(p), n.dispatch.Copied(p)),
			}
			if !n.control.Backfilling() { // it reads all events; where space runs short they go all the same
				needs.Events = min(needs.EventsWithoutRows, n.writer.Position(p))
			}
			needs.Effects = min(needs.EffectsWithoutRows, n.writer.EffectPosition(p))
			return needs
		},
	})
}

// mayLeave asks the shard; of a halted partition nothing leaves until it is back.
func (n *node) mayLeave(ctx context.Context, d *campaign.Delivery, effect uint64) (bool, error) {
	may, err := n.engine.MayLeave(ctx, d, effect)
	if err != nil && n.engine.Halted(stream.PartitionOf(d.Workspace, d.Customer, len(n.events))) != nil {
		err = dispatch.ErrHalted
	}
	return may, err
}

// checkPositions halts the partitions whose log ended, at start, before what a
// sink has read of it: a tail was lost, and its numbers will be used again (R7).
func (n *node) checkPositions(ctx context.Context) error {
	for p := range n.events {
		events, effects := n.writer.Position(p), max(n.writer.EffectPosition(p), n.dispatch.Copied(p))
		if n.engine.Halted(p) != nil || n.caughtUp[p] >= events && n.effectsAtStart[p] >= effects {
			continue
		}
		err := fmt.Errorf("%w: at start it ended at frame %d and effect %d, the sinks stand at %d and %d",
			shard.ErrContinuity, n.caughtUp[p], n.effectsAtStart[p], events, effects)
		if err := n.engine.Halt(ctx, p, err); err != nil {
			return err
		}
	}
	return nil
}

// watchLease ends the server when another may run the log.
func (n *node) watchLease(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-n.lease.Lost():
		if ctx.Err() == nil {
			n.failed <- errors.New("the lease was lost: another server may run this log now")
		}
	}
}

func (n *node) clickhouseURL() secret.URL {
	if n.config.ClickhouseURL != "" {
		return n.config.ClickhouseURL
	}
	return secret.URL("http://" + n.child.Address())
}

// openHTTP starts to take events.
func (n *node) openHTTP(context.Context) error {
	sources, err := readSources(n.config.SourcesFile, n.keys.write)
	if err != nil {
		return err
	}
	n.server = ingest.New(ingest.Config{
		Keys:       map[string]string{n.keys.write: workspaceName},
		Sources:    sources,
		Publisher:  n.publisher,
		Clock:      n.clock.Now,
		Admit:      n.guard.Admit,
		Ready:      n.ready,
		Customer:   n.customer,
		Hook:       n.catalog.Hook,
		Broadcasts: n.catalog.Broadcasts,
		Known:      n.known,
		Metrics:    n.metrics,
		Logger:     n.log,
		Origins:    n.config.CORSOrigins,
		RatePerKey: n.config.RatePerKey,
	})
	l, err := n.listenForEvents()
	if err != nil {
		return err
	}
	go func() {
		if err := n.server.Serve(l); err != nil {
			n.failed <- err
		}
	}()
	return nil
}

func (n *node) customer(ctx context.Context, workspace, id string) ([]byte, error) {
	view, err := n.engine.View(ctx, workspace, id)
	if err != nil || view == nil {
		return nil, err
	}
	return json.MarshalIndent(view, "", "  ")
}

// stopWithin stops, and gives up where a part does not end: a log that hangs must
// not keep a supervisor from starting the server again. What is on disk then is what
// a crash leaves.
func (n *node) stopWithin(limit time.Duration) error {
	done := make(chan error, 1)
	go func() { done <- n.stop() }()
	select {
	case err := <-done:
		return err
	case <-time.After(limit):
		return fmt.Errorf("not stopped after %v: the process ends as in a crash", limit)
	}
}

// stop ends the parts in the order of the flow, so that what came in is applied,
// what was decided is handed over, and what is known is kept.
func (n *node) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), drainLimit)
	defer cancel()
	var errs []error
	if n.server != nil {
		errs = append(errs, n.server.Shutdown(ctx))
	}
	if n.stopGuards != nil {
		n.stopGuards()
		n.guards.Wait()
	}
	if n.stopSinks != nil {
		if n.up.Load() {
			n.drainWarehouse(ctx)
		}
		n.stopSinks()
		n.sinks.Wait()
	}
	if n.publisher != nil {
		n.publisher.Close(ctx)
	}
	if n.engine != nil {
		n.engine.Stop(ctx)
	}
	if n.admin != nil {
		errs = append(errs, n.admin.Shutdown(ctx))
	}
	if n.warehouse != nil {
		errs = append(errs, n.warehouse.Close())
	}
	if n.child != nil {
		n.child.Stop()
	}
	if n.lease != nil {
		n.lease.Release()
	}
	if n.store != nil {
		errs = append(errs, n.store.Close())
	}
	if n.logStore != nil {
		errs = append(errs, n.logStore.Close())
	}
	if n.lock != nil {
		errs = append(errs, n.lock.release())
	}
	return errors.Join(errs...)
}

// drainWarehouse gives the warehouse a moment to take what was decided; the rest
// is written after the next start.
func (n *node) drainWarehouse(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for p := range n.events {
		for limited.Err() == nil && n.writer.Failures() == 0 && n.writer.Position(p) < n.engine.Acked(p) {
			select {
			case <-limited.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
}
