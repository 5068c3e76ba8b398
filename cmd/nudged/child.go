package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"github.com/nudge-engine/nudge/internal/enginefetch"
)

// Pauses between starts of the child.
const (
	childPause   = time.Second
	childNice    = 5 // rows may wait, customers should not
	childStop    = 25 * time.Second
	childHealthy = 30 * time.Second // after so long a run the pause is short again
	// childLeaves is how long the child of a server that was killed may hold the port: it
	// finishes what it does.
	childLeaves = time.Minute
)

// child runs clickhoused and starts it again when it ends. The child ends by
// itself when this process does, because its standard input is closed then.
//
// The listening socket is this process's and is handed to each child: as long as the server
// runs nobody else can have the port, also while no child does.
type child struct {
	path     string
	args     []string
	log      *slog.Logger
	listener *net.TCPListener
	reader   string                 // password of the user reader
	writer   atomic.Pointer[string] // secret of the child that runs, or ran last

	stopping context.CancelFunc
	ended    sync.WaitGroup
}

// startChild starts the embedded ClickHouse unless one elsewhere is configured.
func (n *node) startChild(ctx context.Context) error {
	if n.config.ClickhouseURL != "" {
		return nil
	}
	path := n.config.Clickhoused
	if path == "" {
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("clickhoused: %w", err)
		}
		path = filepath.Join(filepath.Dir(self), "clickhoused")
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf(
			"clickhoused is not at %s: run `make build`, or set clickhoused, or clickhouse_url: %w",
			path,
			err,
		)
	}
	data := n.config.path("clickhouse")
	listener, err := listenForChild(ctx, n.config.ClickhouseListen, data, n.log)
	if err != nil {
		return err
	}
	running, cancel := context.WithCancel(context.Background())
	n.child = &child{
		path: path, log: n.log, stopping: cancel, listener: listener, reader: n.keys.reader,
		args: []string{
			"serve", "--data", data, "--listen", n.config.ClickhouseListen, "--accounts-fd", "3", "--listen-fd", "4",
			"--watch-stdin", "--nice", strconv.Itoa(childNice),
		},
	}
	if len(n.config.AllowedHosts) > 0 {
		n.child.args = append(n.child.args, "--allowed-hosts", strings.Join(n.config.AllowedHosts, ","))
	}
	n.child.ended.Go(func() { n.child.run(running) })
	return nil
}

// listenForChild takes the port of ClickHouse. The child of a server that was killed may
// have it for a moment: that one holds the lock of the data. Anybody else is an error.
func listenForChild(ctx context.Context, address, data string, log *slog.Logger) (*net.TCPListener, error) {
	limited, cancel := context.WithTimeout(ctx, childLeaves)
	defer cancel()
	lock := flock.New(filepath.Join(data, "clickhoused.lock"))
	for strangers := 0; ; {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err == nil {
			socket, ok := l.(*net.TCPListener)
			if !ok {
				return nil, errors.Join(fmt.Errorf("clickhouse_listen: %s is no TCP address", address), l.Close())
			}
			return socket, nil
		}
		if _, missing := os.Stat(lock.Path()); missing == nil && errors.Is(err, syscall.EADDRINUSE) {
			free, lockErr := lock.TryLock()
			if free {
				strangers++ // it may have ended since we tried to listen
				lockErr = lock.Unlock()
			}
			err = errors.Join(err, lockErr)
		} else {
			strangers = 2
		}
		if strangers > 1 || limited.Err() != nil {
			return nil, fmt.Errorf("clickhouse_listen: the address %s of the embedded ClickHouse cannot be used: %w; "+
				"stop what listens there, or choose another one with NUDGE_CLICKHOUSE_LISTEN", address, err)
		}
		log.Debug("waiting for the last clickhoused to leave its port", slog.String("address", address))
		select {
		case <-limited.Done():
		case <-time.After(lockEvery):
		}
	}
}

// address is where the child is reached from this machine.
func (c *child) address() string {
	at, ok := c.listener.Addr().(*net.TCPAddr)
	if ok && at.IP.IsUnspecified() {
		return net.JoinHostPort("localhost", strconv.Itoa(at.Port))
	}
	return c.listener.Addr().String()
}

// secret is the writer's secret, which the child that runs has too; "" before the first.
func (c *child) secret() string {
	if s := c.writer.Load(); s != nil {
		return *s
	}
	return ""
}

func (c *child) run(ctx context.Context) {
	pause := childPause
	for ctx.Err() == nil {
		started := time.Now()
		err := c.once(ctx)
		if ctx.Err() != nil {
			return
		}
		c.log.Error("clickhoused ended; it is started again", slog.Any("error", err))
		if time.Since(started) > childHealthy {
			pause = childPause
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, 30*time.Second)
	}
}

// once runs the child until it ends, or asks it to end when ctx does.
func (c *child) once(ctx context.Context) error {
	fetcher, err := enginefetch.New(os.Stderr)
	if err != nil {
		return fmt.Errorf("clickhoused: %w", err)
	}
	library, err := fetcher.Path(ctx) // found here, because the child has no environment
	if err != nil {
		return fmt.Errorf("clickhoused: %w", err)
	}
	command := exec.Command(c.path, append(c.args, "--lib", library)...) // ended by hand below
	command.Env = []string{}                                             // SQL must not find secrets in it
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt from the terminal is for us
	input, err := command.StdinPipe()
	if err != nil {
		return fmt.Errorf("clickhoused: %w", err)
	}
	if err := c.begin(command); err != nil {
		return fmt.Errorf("clickhoused: %w", errors.Join(err, input.Close()))
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	return stopChild(input, command, ended)
}

// begin starts the child, with the listening socket and a pipe that has its secrets.
func (c *child) begin(command *exec.Cmd) error {
	socket, err := c.listener.File()
	if err != nil {
		return err
	}
	defer func() { _ = socket.Close() }()
	from, to, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	secret := rand.Text() + rand.Text()
	text, err := json.Marshal(map[string]string{"writer": secret, "reader": c.reader})
	if err != nil {
		return errors.Join(err, to.Close())
	}
	command.ExtraFiles = []*os.File{from, socket} // 3 and 4 there
	if err := command.Start(); err != nil {
		return errors.Join(err, to.Close())
	}
	c.writer.Store(&secret)
	_, err = to.Write(append(text, '\n')) // a pipe holds more than that
	if err = errors.Join(err, to.Close()); err != nil {
		c.log.Warn("clickhoused got no secrets", slog.Any("error", err)) // it has ended
	}
	return nil
}

func stopChild(input io.Closer, command *exec.Cmd, ended chan error) error {
	_ = input.Close()                           // it ends at the end of its input
	_ = command.Process.Signal(syscall.SIGTERM) // and at this
	select {
	case err := <-ended:
		return err
	case <-time.After(childStop):
		_ = command.Process.Kill()
		return <-ended
	}
}

func (c *child) stop() {
	c.stopping()
	c.ended.Wait()
	_ = c.listener.Close()
}
