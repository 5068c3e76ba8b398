// Package child runs clickhoused, the embedded ClickHouse, as a child process: it starts it
// again when it ends, and gives it its secrets and its listening socket.
package child

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

const (
	firstPause = time.Second // between an end and the next start; doubled each time
	maxPause   = 30 * time.Second
	healthy    = 30 * time.Second // after so long a run the pause is short again
	niceness   = 5                // rows may wait, customers should not
	stopLimit  = 25 * time.Second // then it is killed
	// leaveLimit is how long the child of a server that was killed may hold the port: it
	// finishes what it does.
	leaveLimit = time.Minute
	lookEvery  = 200 * time.Millisecond // whether it has left
)

// Config is what a [Process] is started with.
type Config struct {
	Program        string   // path of clickhoused; empty: beside this program
	Dir            string   // of its data
	Listen         string   // host:port
	AllowedHosts   []string // names beside the loopback ones under which it may be asked
	ReaderPassword string   // of its user reader
	Logger         *slog.Logger
}

// Process is a clickhoused that runs, or is about to be started again. The child ends by
// itself when this process does, because its standard input is closed then.
//
// The listening socket is this process's and is handed to each child: as long as the server
// runs nobody else can have the port, also while no child does.
type Process struct {
	path     string
	args     []string
	log      *slog.Logger
	listener *net.TCPListener
	reader   string                 // password of the user reader
	writer   atomic.Pointer[string] // secret of the child that runs, or ran last

	stopping context.CancelFunc
	ended    sync.WaitGroup
}

// Start takes the port and starts the child in the background; Stop ends it. It waits up to a
// minute for the child of a server that was killed to leave the port, or until ctx ends. An
// error says which setting is wrong: the program is missing, or the address is taken.
func Start(ctx context.Context, c Config) (*Process, error) {
	path := c.Program
	if path == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("clickhoused: %w", err)
		}
		path = filepath.Join(filepath.Dir(self), "clickhoused")
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf(
			"clickhoused is not at %s: run `make build`, or set clickhoused, or clickhouse_url: %w",
			path,
			err,
		)
	}
	listener, err := takePort(ctx, c.Listen, c.Dir, c.Logger)
	if err != nil {
		return nil, err
	}
	running, cancel := context.WithCancel(context.Background())
	p := &Process{
		path: path, log: c.Logger, stopping: cancel, listener: listener, reader: c.ReaderPassword,
		args: []string{
			"serve", "--data", c.Dir, "--listen", c.Listen, "--accounts-fd", "3", "--listen-fd", "4",
			"--watch-stdin", "--nice", strconv.Itoa(niceness),
		},
	}
	if len(c.AllowedHosts) > 0 {
		p.args = append(p.args, "--allowed-hosts", strings.Join(c.AllowedHosts, ","))
	}
	p.ended.Go(func() { p.run(running) })
	return p, nil
}

// takePort listens on the port of ClickHouse. The child of a server that was killed may
// have it for a moment: that one holds the lock of the data. Anybody else is an error.
func takePort(ctx context.Context, address, data string, log *slog.Logger) (*net.TCPListener, error) {
	limited, cancel := context.WithTimeout(ctx, leaveLimit)
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
		case <-time.After(lookEvery):
		}
	}
}

// Address is where the child is reached from this machine, as host:port.
func (p *Process) Address() string {
	at, ok := p.listener.Addr().(*net.TCPAddr)
	if ok && at.IP.IsUnspecified() {
		return net.JoinHostPort("localhost", strconv.Itoa(at.Port))
	}
	return p.listener.Addr().String()
}

// Secret is the password of the user that writes, which the child that runs has too; each
// child has another one. It is empty before the first child runs.
func (p *Process) Secret() string {
	if s := p.writer.Load(); s != nil {
		return *s
	}
	return ""
}

func (p *Process) run(ctx context.Context) {
	pause := firstPause
	for ctx.Err() == nil {
		started := time.Now()
		err := p.once(ctx)
		if ctx.Err() != nil {
			return
		}
		p.log.Error("clickhoused ended; it is started again", slog.Any("error", err))
		if time.Since(started) > healthy {
			pause = firstPause
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, maxPause)
	}
}

// once runs the child until it ends, or asks it to end when ctx does.
func (p *Process) once(ctx context.Context) error {
	fetcher, err := enginefetch.New(os.Stderr)
	if err != nil {
		return fmt.Errorf("clickhoused: %w", err)
	}
	library, err := fetcher.Path(ctx) // found here, because the child has no environment
	if err != nil {
		return fmt.Errorf("clickhoused: %w", err)
	}
	command := exec.Command(p.path, append(p.args, "--lib", library)...) // ended by hand below
	command.Env = []string{}                                             // SQL must not find secrets in it
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt from the terminal is for us
	input, err := command.StdinPipe()
	if err != nil {
		return fmt.Errorf("clickhoused: %w", err)
	}
	if err := p.begin(command); err != nil {
		return fmt.Errorf("clickhoused: %w", errors.Join(err, input.Close()))
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	return stop(input, command, ended)
}

// begin starts the child, with the listening socket and a pipe that has its secrets.
func (p *Process) begin(command *exec.Cmd) error {
	socket, err := p.listener.File()
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
	text, err := json.Marshal(map[string]string{"writer": secret, "reader": p.reader})
	if err != nil {
		return errors.Join(err, to.Close())
	}
	command.ExtraFiles = []*os.File{from, socket} // 3 and 4 there
	if err := command.Start(); err != nil {
		return errors.Join(err, to.Close())
	}
	p.writer.Store(&secret)
	_, err = to.Write(append(text, '\n')) // a pipe holds more than that
	if err = errors.Join(err, to.Close()); err != nil {
		p.log.Warn("clickhoused got no secrets", slog.Any("error", err)) // it has ended
	}
	return nil
}

func stop(input io.Closer, command *exec.Cmd, ended chan error) error {
	_ = input.Close()                           // it ends at the end of its input
	_ = command.Process.Signal(syscall.SIGTERM) // and at this
	select {
	case err := <-ended:
		return err
	case <-time.After(stopLimit):
		_ = command.Process.Kill()
		return <-ended
	}
}

// Stop ends the child, with force after 25 s, and gives up the port.
func (p *Process) Stop() {
	p.stopping()
	p.ended.Wait()
	_ = p.listener.Close()
}
