package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
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

// workspaceName is the workspace of all keys and definitions: a server has only this one.
const workspaceName = "default"

// Limits of waiting at start and stop. They are generous: each is there to end a wait on
// something that hangs, not to hurry something that works.
const (
	// applyLimit bounds claiming the partitions, bringing control records to all of them, and
	// one look at experiments.
	applyLimit = time.Minute
	// drainLimit bounds the orderly part of a stop: requests, rows, sends, the last snapshot.
	drainLimit = 30 * time.Second
	// stopLimit bounds a stop as a whole. It is longer than drainLimit because closing store,
	// child and log has no limit of its own.
	stopLimit = 50 * time.Second
	// failedLimit takes the place of stopLimit after a failure: then there may be nothing that
	// still answers, and the supervisor should start the server again soon.
	failedLimit = 10 * time.Second
	// lockEvery is how often a start tries to lock a directory that another process has.
	lockEvery = 200 * time.Millisecond
)

// Config is what [Open] starts a server with. All fields are required.
type Config struct {
	Settings Settings // as Validate accepts them
	// Out gets what channels of the type console send, and a line at the first start about the
	// keys that were made. Channels write to it from their own goroutines.
	Out    io.Writer
	Logger *slog.Logger
}

// ErrInterrupted is returned by Open when its context ended before the server was up.
var ErrInterrupted = errors.New("server: interrupted during the start")

// Node is a running server, made by [Open]. Wait and Close are for one goroutine, called one
// after the other; the rest of a Node is reached over HTTP.
//
// The parts stand in the order of the data: log, engine, definitions, sinks, HTTP. A part is
// nil until it is up, which is how stop knows what there is to stop. Fields that are not
// atomic do not change after Open has returned, but for broken.
type Node struct {
	settings *Settings
	out      io.Writer
	log      *slog.Logger
	metrics  *metrics.Set
	// failed gets the error of a part without which the server cannot go on. It has room for
	// several, so that no part blocks while nobody waits.
	failed chan error
	lock   *dataLock
	keys   keys

	clock    *stream.Clock
	logStore *stream.JetStream
	lease    stream.Lease
	store    *storage.Pebble
	parts    *parts.Register
	// written holds how far rows were written; it is a stream, so that it is lost and restored
	// together with the log and not with the state.
	written stream.Stream
	// rows is the identity of the embedded ClickHouse's directory, read before the child
	// starts and creates one.
	rows parts.Rows
	// events and effects are the streams of each partition: its log, and what its shard
	// decided.
	events      []stream.Stream
	effects     []stream.Stream
	publisher   *stream.Publisher
	crashMarker *storage.CrashMarker
	rendering   *storage.Rendering
	// held are partitions that must not start, with the reason: their timers ended the process
	// too often (crash_marker.go).
	held      map[int]error
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

	// Background goroutines end in two groups: guards watch over the server, sinks read behind
	// the shards and are drained first.
	stopGuards, stopSinks context.CancelFunc
	guards, sinks         sync.WaitGroup
	// caughtUp and effectsAtStart are the last sequence numbers of the two streams at start,
	// by partition. The server is ready once its shards have reached caughtUp.
	caughtUp       []uint64
	effectsAtStart []uint64
	// up is true once Open has succeeded.
	up atomic.Bool
	// broken is true when Wait has returned an error. It needs no lock, since Wait and Close
	// are called one after the other.
	broken bool
	// blocked counts the experiments without a decision because chance does not explain the
	// shares of their variants.
	blocked atomic.Int64
}

// Open starts a server: it locks the data directory, opens the log, recovers the shards,
// starts the sinks, puts the configured definitions in force and takes events. When it
// returns, the server answers on its addresses; it runs until Close. The settings must be
// valid, see [Settings.Validate].
//
// While another server has the directory or the log, Open waits for it until ctx ends. On an
// error all that was started has been stopped, or given up after 10 s. The error is
// [ErrInterrupted] when ctx ended and all could be stopped.
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
	// Whatever failed did so because the start was called off, and is no fault of its own.
	if ctx.Err() != nil {
		n.log.Info("stopping during the start", slog.Any("interrupted", err))
		err = nil
	}
	if err = errors.Join(err, n.stopWithin(failedLimit)); err != nil {
		return nil, err
	}
	return nil, ErrInterrupted
}

// start brings the parts up, in the order of the data. On an error the parts that are up
// already must be stopped by the caller. The admin address comes second, so that it shows a
// start that takes long; the public address comes last, when there is something behind it that
// answers.
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
	// It says where the keys are and not what they are: this text lands in journals.
	if len(n.keys.made) > 0 {
		fmt.Fprintf(n.out, "keys were made and are kept in %s; `nudge key NAME --data-dir %s` prints one: %s\n",
			identity.Path(n.settings.DataDir), n.settings.DataDir, strings.Join(n.keys.made, ", "))
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
