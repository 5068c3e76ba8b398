package chdb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
)

// ErrClosed is the answer of an engine or a connection after Close.
var ErrClosed = errors.New("chdb: the engine or the connection is closed")

// Setting is a query-level setting of ClickHouse that a connection is opened
// with, as `SET name = value` would do it.
type Setting struct{ Name, Value string }

// Param is a value for a {name:Type} placeholder. The engine substitutes it;
// the SQL text is not touched.
type Param struct{ Name, Value string }

// Engine is the loaded library on one data directory. Safe for concurrent
// use, except Close.
type Engine struct {
	lib    *library
	guard  *signalGuard
	dir    string
	config string // path of the engine's own configuration; "" for none
	// anchor is a connection that is never lent. The engine starts with the
	// first connection and stops with the last one (70 ms to start again), so
	// one stays open for as long as the Engine does.
	anchor *Conn
	known  map[string]bool // names of settings; written by Open only
	opened atomic.Uint64   // connections ever opened; numbers their tags
	open   atomic.Int64    // connections open now, the anchor included
}

// Open loads the library and starts the engine on dataDir, which it makes where it is
// missing. config is the path of a configuration file in ClickHouse's own format, which may
// name a users_config with users, roles and their grants; "" starts the engine without one,
// and every connection may do everything.
//
// No other process may use dataDir. The engine does not check that; cmd/clickhoused holds a
// file lock.
func Open(libPath, dataDir, config string) (*Engine, error) {
	dir, err := filepath.Abs(dataDir)
	if err != nil {
		return nil, fmt.Errorf("chdb: cannot resolve the data directory %q: %w", dataDir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("chdb: cannot make the data directory %q: %w (check its owner and the free space)",
			dir, err)
	}
	guard, err := newSignalGuard()
	if err != nil {
		return nil, err
	}
	var lib *library
	// The guard also covers the library's initialisers.
	guard.around(func() {
		if lib, err = loadLibrary(libPath); err == nil {
			lib.setSignalHandlers(0)
		}
	})
	if err != nil {
		return nil, err
	}
	e := &Engine{lib: lib, guard: guard, dir: dir, config: config}
	if e.anchor, err = e.Connect(); err != nil {
		return nil, err
	}
	if e.known, err = e.loadSettings(); err != nil {
		return nil, err
	}
	return e, nil
}

// Version is the release of the library, which is not the ClickHouse version
// (that is what SELECT version() says).
func (e *Engine) Version() string { return e.lib.version() }

// baseArgs open every connection. --path goes to the connection that starts
// the engine and is ignored by later ones. The sampling profiler is off
// because it works with signals on every thread, the Go runtime's included.
// async_insert is on by default since 26.x: an insert would be acknowledged
// from a buffer that is shared between statements, and would not be the one
// block that a deduplication token speaks of.
func (e *Engine) baseArgs() []string {
	args := []string{
		"clickhoused",
		"--path=" + e.dir,
		"--query_profiler_real_time_period_ns=0",
		"--query_profiler_cpu_time_period_ns=0",
		"--async_insert=0",
	}
	if e.config != "" {
		args = append(args, "--config-file="+e.config)
	}
	return args
}

// Connect opens a session with settings (93 us measured, so a session may
// serve a single statement). Later settings win over earlier ones. An unknown
// name and a wrong value are an *Exception.
func (e *Engine) Connect(settings ...Setting) (*Conn, error) {
	args := e.baseArgs()
	tag := "nudge-" + strconv.FormatUint(e.opened.Add(1), 10)
	for _, s := range settings {
		if err := e.check(s); err != nil {
			return nil, err
		}
		if s.Name == "log_comment" {
			tag = s.Value + " " + tag
			continue
		}
		args = append(args, "--"+s.Name+"="+s.Value)
	}
	args = append(args, "--log_comment="+tag)
	vec := argv(args)
	var ptr handle
	e.guard.around(func() { ptr = e.lib.connect(int32(len(args)), first(vec)) })
	runtime.KeepAlive(vec)
	switch {
	case ptr == nil && len(settings) > 0:
		return nil, e.explain(settings...)
	case ptr == nil:
		return nil, fmt.Errorf("chdb: the engine does not open %q: the directory cannot be read or written, is "+
			"damaged, or is of a newer engine", e.dir)
	}
	e.open.Add(1)
	return &Conn{engine: e, ptr: ptr, tag: tag}, nil
}

// Close ends the engine's server together with its last connection. Every Conn must be
// closed; it fails where one is open. Idle threads of the library remain until the process
// ends, which does no harm. (chdb_shutdown would join them, but mostly answers that it
// could not: measured, its idle ThreadPool threads stay whenever a statement ran on more
// than one Go thread.)
func (e *Engine) Close() error {
	if e.anchor == nil {
		return ErrClosed
	}
	if n := e.open.Load() - 1; n > 0 {
		return fmt.Errorf("chdb: cannot stop the engine on %q: %d connections are still open", e.dir, n)
	}
	e.anchor.Close()
	e.anchor = nil
	return nil
}
