package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/nudge-engine/nudge/actors"
	"github.com/nudge-engine/nudge/ingest"
	"github.com/nudge-engine/nudge/internal/identity"
	"github.com/nudge-engine/nudge/internal/parts"
	"github.com/nudge-engine/nudge/server/admin"
	"github.com/nudge-engine/nudge/server/admission"
	"github.com/nudge-engine/nudge/server/catalog"
	"github.com/nudge-engine/nudge/server/child"
	"github.com/nudge-engine/nudge/server/deploy"
	"github.com/nudge-engine/nudge/server/erasure"
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

// Config is what [Open] starts a server with. All fields are required.
type Config struct {
	Settings Settings // as Validate accepts them
	// Out gets what channels of the type console send, and a line at the first start about the
	// keys that were made.
	Out    io.Writer
	Logger *slog.Logger
}

// ErrInterrupted is returned by Open when its context ended before the server was up.
var ErrInterrupted = errors.New("server: interrupted during the start")

// Node is a running server. Its parts are named in the order of the flow; Close ends them in
// that order.
type Node struct {
	settings *Settings
	out      io.Writer
	log      *slog.Logger
	metrics  *metrics.Set
	failed   chan error // what ends the server by itself
	lock     *dataLock
	keys     keys

	clock       *stream.Clock
	logStore    *stream.JetStream
	lease       stream.Lease
	store       *storage.Pebble
	parts       *parts.Register
	written     stream.Stream // how far rows were written
	rows        parts.Rows    // as they were before the embedded ClickHouse started
	events      []stream.Stream
	effects     []stream.Stream
	publisher   *stream.Publisher
	crashMarker *storage.CrashMarker
	rendering   *storage.Rendering
	held        map[int]error // partitions that must not start
	engine      *actors.Engine
	control     *actors.Controller
	catalog     *catalog.Catalog
	deployer    *deploy.Deployer
	child       *child.Process
	writer      *warehouse.Writer
	warehouse   *warehouse.ClickHouse
	dispatch    *dispatch.Dispatcher
	guard       *admission.Guard
	eraser      *erasure.Eraser
	server      *ingest.Server
	api         *admin.API
	admin       *http.Server
	stats       *statsCache

	stopGuards, stopSinks context.CancelFunc
	guards, sinks         sync.WaitGroup
	caughtUp              []uint64 // log ends at start, by partition
	effectsAtStart        []uint64 // ends of the effect streams at start
	up                    atomic.Bool
	broken                bool         // a part has failed; Wait and Close are called one after the other
	blocked               atomic.Int64 // experiments whose shares block a decision
}

// Open starts a server: it locks the data directory, opens the log, recovers the shards,
// starts the sinks, puts the configured definitions in force and takes events. When it
// returns, the server answers on its addresses; it runs until Close.
//
// It waits, until ctx ends, for another server that has the directory or the log. On an error
// all that was started has been stopped, or given up after 10 s; it is ErrInterrupted when ctx
// ended and all could be stopped.
func Open(ctx context.Context, config Config) (*Node, error) {
	settings := config.Settings
	n := &Node{
		settings: &settings, out: config.Out, log: config.Logger, metrics: metrics.NewSet(),
		failed: make(chan error, 16), clock: stream.NewClock(settings.ClockOffset),
	}
	err := n.start(ctx)
	if err == nil {
		return n, nil
	}
	if ctx.Err() != nil {
		n.log.Info("stopping during the start", slog.Any("interrupted", err))
		err = nil
	}
	if err = errors.Join(err, n.stopWithin(failedLimit)); err != nil {
		return nil, err
	}
	return nil, ErrInterrupted
}

// start brings the server up; on error what is up already must be stopped.
func (n *Node) start(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		n.openData, n.openAdmin, n.startChild, n.openLog, n.openStreams,
		n.openCrashMarker, n.startEngine, n.startSinks, n.applyDir, n.openHTTP,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	n.attachAdmin()
	n.up.Store(true)
	n.tellReady()
	if n.keys.made { // where they are, and not what: this text lands in journals
		fmt.Fprintf(n.out, "keys were made and are kept in %[1]s; nudge key write, nudge key admin and "+
			"nudge key reader, each with --data-dir %[2]s, print them\n", identity.Path(n.settings.DataDir),
			n.settings.DataDir)
	}
	n.log.Info("ready", slog.String("events", n.settings.HTTPListen), slog.String("admin", n.settings.AdminListen),
		slog.Any("clickhouse", n.clickhouseURL()))
	return nil
}

// Wait returns nil when ctx ends, or the error of a part without which the server cannot go
// on. The server still has to be closed.
func (n *Node) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		n.log.Info("stopping: ingest, then shards, then sinks")
		return nil
	case err := <-n.failed:
		n.broken = true
		n.log.Error("stopping after a failure", slog.Any("error", err))
		return err
	}
}
