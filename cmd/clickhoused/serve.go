package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/nudge-engine/nudge/internal/chdb"
	"github.com/nudge-engine/nudge/internal/enginefetch"
	"github.com/nudge-engine/nudge/internal/hostcheck"
	"github.com/nudge-engine/nudge/internal/listen"
)

// serveCommand is `clickhoused serve`; help.go explains the flags. Sizes are bytes.
type serveCommand struct {
	Data         string        `help:"${data}" required:"" placeholder:"DIR"`
	Listen       string        `help:"${listen}" default:"127.0.0.1:8123"`
	Lib          string        `help:"${lib}" placeholder:"PATH"`
	WatchStdin   bool          `help:"${watch_stdin}"`
	Readers      int           `help:"${readers}" default:"4"`
	ReadTime     time.Duration `help:"${read_time}" default:"60s"`
	LockWait     time.Duration `help:"${lock_wait}" default:"60s"`
	DrainTimeout time.Duration `help:"${drain_timeout}" default:"20s"`
	MaxBody      int64         `help:"${max_body}" default:"268435456"`
	Nice         int           `help:"${nice}" default:"0"`
	AllowedHosts []string      `help:"${allowed_hosts}" placeholder:"NAME"`

	PasswordFile       string `help:"${password_file}" placeholder:"FILE"`
	ReaderPasswordFile string `help:"${reader_password_file}" placeholder:"FILE"`

	// File descriptors that nudged passes to its child; 0 means none.
	AccountsFD int `name:"accounts-fd" help:"${accounts_fd}" hidden:""`
	ListenFD   int `name:"listen-fd" help:"${listen_fd}" hidden:""`
}

// Validate checks the flags; kong calls it before Run.
func (c *serveCommand) Validate() error {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("--listen %q is no HOST:PORT: %w", c.Listen, err)
	}
	if c.Nice < 0 || c.Nice > 19 {
		return fmt.Errorf("--nice %d: must be from 0 to 19", c.Nice)
	}
	if c.Readers < 1 || c.ReadTime < time.Second || c.MaxBody < 1<<20 {
		return fmt.Errorf("limits too small: --readers %d (at least 1), --read-time %v (at least 1s), --max-body %d "+
			"(at least 1 MiB)", c.Readers, c.ReadTime, c.MaxBody)
	}
	return nil
}

// Run serves until it is asked to stop, by a signal or the end of standard input. To be asked
// before it was ready is no error.
func (c *serveCommand) Run(ctx context.Context, log *slog.Logger) error {
	// Without the flag standard input may be closed from the start, as for a service.
	if c.WatchStdin {
		ctx = untilEOF(ctx, log, os.Stdin)
	}
	err := c.serve(ctx, log)
	if err != nil && ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // asked to stop before it was ready
	}
	return err
}

// serve does everything in the order in which each step may rely on the last: library, lock,
// engine, and the port at the very end. A client that can connect gets answers, and two
// processes never open one data directory.
func (c *serveCommand) serve(ctx context.Context, log *slog.Logger) (err error) {
	start := time.Now()
	accounts, err := c.accounts()
	if err != nil {
		return err
	}
	// Settings that are wrong are found before the engine is loaded.
	hosts, err := hostcheck.New(c.Listen, c.AllowedHosts)
	if err != nil {
		return fmt.Errorf("--allowed-hosts: %w", err)
	}
	// Before the engine starts threads: they inherit the priority.
	if err := giveWay(c.Nice); err != nil {
		return err
	}
	lib, err := c.library(ctx)
	if err != nil {
		return err
	}
	lock, err := lockData(ctx, log, c.Data, c.LockWait)
	if err != nil {
		return err
	}
	// The lock is given back last, after the engine has closed its files.
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	config, err := writeAccess(c.Data)
	if err != nil {
		return err
	}
	engine, err := chdb.Open(lib, c.Data, config)
	if err != nil {
		return err
	}
	// From here on a failure ends the process, and with it the engine.
	gateway, err := newGateway(ctx, engine, c.gatewayOptions(accounts, hosts), log)
	if err != nil {
		return err
	}
	listener, err := c.bounded(ctx, log)
	if err != nil {
		return err
	}
	log.Info("ready", slog.String("listen", listener.Addr().String()), slog.String("data", c.Data),
		slog.String("clickhouse", gateway.hello.version),
		slog.Duration("took", time.Since(start).Round(time.Millisecond)))
	err = c.serveUntil(ctx, log, listener, gateway)
	gateway.close()
	return errors.Join(err, engine.Close())
}

// reservedFiles is how many file descriptors connections must leave free for the engine, which
// opens files of tables for reading, writing and merging.
const reservedFiles = 512

// bounded returns the listener with bounds on its connections, in total and by client address.
// Everybody on this machine may connect, key or not. Without bounds such connections take the
// file descriptors that the engine needs for its tables, and those that nudged connects with.
func (c *serveCommand) bounded(ctx context.Context, log *slog.Logger) (net.Listener, error) {
	files, err := listen.FileLimit()
	if err != nil {
		return nil, err
	}
	l, err := c.listener(ctx)
	if err != nil {
		return nil, err
	}
	return listen.New(l, listen.Options{Total: listen.Connections(files, reservedFiles), Logger: log}), nil
}

// listener returns the socket that the parent has opened, or a new one. A parent keeps its
// socket open, so that nobody else can take the port while a child is replaced.
func (c *serveCommand) listener(ctx context.Context) (net.Listener, error) {
	if c.ListenFD > 0 {
		file := os.NewFile(uintptr(c.ListenFD), "listener")
		if file == nil {
			return nil, fmt.Errorf("--listen-fd %d: there is no such file descriptor", c.ListenFD)
		}
		l, err := net.FileListener(file)
		if err = errors.Join(err, file.Close()); err != nil {
			return nil, fmt.Errorf("--listen-fd %d: %w", c.ListenFD, err)
		}
		return l, nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w (another ClickHouse there? give another --listen)", c.Listen,
			err)
	}
	return l, nil
}

// gatewayOptions returns what the gateway needs to know of the flags. The time limit goes to
// the engine as a setting of every statement that reads.
func (c *serveCommand) gatewayOptions(accounts []account, hosts hostcheck.Check) gatewayOptions {
	seconds := strconv.FormatFloat(c.ReadTime.Seconds(), 'f', -1, 64)
	limits := append(chdb.DefaultReadLimits(), chdb.Setting{Name: "max_execution_time", Value: seconds})
	return gatewayOptions{
		pool:     chdb.PoolOptions{Readers: c.Readers, ReadLimits: limits},
		accounts: accounts,
		readTime: c.ReadTime,
		maxBody:  c.MaxBody,
		hosts:    hosts,
	}
}

// library returns the path of libchdb.so: the given one, or the pinned one, which is fetched
// when it is missing.
func (c *serveCommand) library(ctx context.Context) (string, error) {
	if c.Lib != "" {
		return c.Lib, nil
	}
	f, err := enginefetch.New(os.Stderr)
	if err != nil {
		return "", err
	}
	return f.Path(ctx)
}

// serveUntil serves until ctx ends, then stops in two steps: no new requests and time for the
// running ones, and after DrainTimeout the running ones are killed. An error means that the
// interface failed, or that statements did not stop even then.
func (c *serveCommand) serveUntil(ctx context.Context, log *slog.Logger, listener net.Listener,
	handler http.Handler,
) error {
	// Statements run under work, not under ctx: a stop is not a cancellation.
	work, kill := context.WithCancel(context.WithoutCancel(ctx))
	defer kill()
	server := &http.Server{
		Handler:           handler,
		BaseContext:       func(net.Listener) context.Context { return work },
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       5 * time.Minute, // 256 MiB at 1 MB/s
		// Longer than clients keep idle connections in use: clickhouse-go
		// cannot repeat an insert on one that was closed under it.
		IdleTimeout:    10 * time.Minute,
		MaxHeaderBytes: 1 << 20, // a query may come in the URL
	}
	listen.Bind(server)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("the HTTP interface on %s failed: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	log.Debug("stopping: the running statements end first", slog.Duration("limit", c.DrainTimeout))
	drain, cancel := context.WithTimeout(work, c.DrainTimeout)
	defer cancel()
	if err := server.Shutdown(drain); err == nil {
		return nil
	}
	log.Warn("statements still run after the limit and are killed", slog.Duration("limit", c.DrainTimeout))
	kill()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		return fmt.Errorf("some statements did not stop: %w", err)
	}
	return nil
}

// untilEOF returns a context that also ends at the end of in, which is how a child learns that
// its parent is gone, even when that was killed. What comes in is ignored.
func untilEOF(ctx context.Context, log *slog.Logger, in io.Reader) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, err := io.Copy(io.Discard, in)
		log.Debug("standard input ended: the parent is gone or wants a stop", slog.Any("error", err))
		cancel()
	}()
	return ctx
}
