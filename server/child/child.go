// Package child runs clickhoused, the embedded ClickHouse, as a child process: it starts it
// again when it ends, and gives it its secrets and its listening socket. A process of its own
// keeps native code and the queries of people apart from the engine: when it crashes or is out
// of memory, only rows wait.
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
	// firstPause lies between an end of the child and its next start; it is doubled each time,
	// up to maxPause, so that a child that cannot start does not use up the machine.
	firstPause = time.Second
	maxPause   = 30 * time.Second
	// healthy is how long a run must last for the pause to be short again.
	healthy = 30 * time.Second
	// niceness lowers the priority of the child: rows may wait, customers should not.
	niceness = 5
	// stopLimit is how long a child may take to end before it is killed. ClickHouse finishes
	// its inserts meanwhile.
	stopLimit = 25 * time.Second
	// leaveLimit is how long the child of a server that was killed may hold the port: it
	// finishes what it does and then notices that its parent is gone.
	leaveLimit = time.Minute
	// lookEvery is how often a start looks whether such a child has left.
	lookEvery = 200 * time.Millisecond
)

// Config is what a [Process] is started with. Program and AllowedHosts may be empty.
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
// The listening socket belongs to this process and is handed to each child: as long as the
// server runs no other program can get the port, also between two children. Address and Secret
// are safe for concurrent use; Stop is called once.
type Process struct {
	// path and args are the command of every child.
	path     string
	args     []string
	log      *slog.Logger
	listener *net.TCPListener
	// reader is the password of the user reader, the same for all children.
	reader string
	// writer is the password of the writing user in the child that runs, or ran last.
	writer atomic.Pointer[string]

	// stopping ends the goroutine that starts children, and ended waits for it.
	stopping context.CancelFunc
	ended    sync.WaitGroup
}

// Start takes the port and starts the child in the background; [Process.Stop] ends it. It
// waits up to a minute, or until ctx ends, for the child of a server that was killed to leave
// the port. The error says which setting is wrong: the program is missing, or the address is
// taken. That the child works is not waited for.
func Start(ctx context.Context, c Config) (*Process, error) {
	path := c.Program
	// The programs of a release lie beside each other.
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
			// Descriptors 3 and 4 are those of begin.
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

// takePort listens on the port of ClickHouse. The child of a server that was killed may have
// it for a moment; such a child holds the lock of the data, which tells it from any other
// program on the port. Another program is an error at once.
func takePort(ctx context.Context, address, data string, log *slog.Logger) (*net.TCPListener, error) {
	limited, cancel := context.WithTimeout(ctx, leaveLimit)
	defer cancel()
	lock := flock.New(filepath.Join(data, "clickhoused.lock"))
	// strangers counts the attempts at which the port was taken and the lock of the data was
	// free.
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
				// The child may have ended between the attempt to listen and this look, so the
				// port is tried once more.
				strangers++
				lockErr = lock.Unlock()
			}
			err = errors.Join(err, lockErr)
		} else {
			// The address cannot be used at all, or no child ever ran here: waiting would not
			// help.
			strangers = 2
		}
		if strangers > 1 || limited.Err() != nil {
			return nil, fmt.Errorf("clickhouse_listen: the address %s of the embedded ClickHouse cannot be used: %w; "+
				"stop what listens there, or choose another one with --clickhouse-listen or "+
				"NUDGE_CLICKHOUSE_LISTEN", address, err)
		}
		log.Debug("waiting for the last clickhoused to leave its port", slog.String("address", address))
		select {
		case <-limited.Done():
		case <-time.After(lookEvery):
		}
	}
}

// Address returns where the child is reached from this machine, as host:port. For a child that
// listens on all addresses it is localhost.
func (p *Process) Address() string {
	at, ok := p.listener.Addr().(*net.TCPAddr)
	if ok && at.IP.IsUnspecified() {
		return net.JoinHostPort("localhost", strconv.Itoa(at.Port))
	}
	return p.listener.Addr().String()
}

// Secret returns the password of the writing user in the child that runs; each child gets
// another one, so it must be asked for at each connection. It is empty before the first child
// runs.
func (p *Process) Secret() string {
	if s := p.writer.Load(); s != nil {
		return *s
	}
	return ""
}

// run starts one child after the other until ctx ends, with growing pauses while they do not
// last.
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

// once runs a child until it ends, or asks it to end when ctx does. It returns how the child
// ended.
func (p *Process) once(ctx context.Context) error {
	fetcher, err := enginefetch.New(os.Stderr)
	if err != nil {
		return fmt.Errorf("clickhoused: %w", err)
	}
	// The library is found here, because the child has no environment to find it with.
	library, err := fetcher.Path(ctx)
	if err != nil {
		return fmt.Errorf("clickhoused: %w", err)
	}
	// Not exec.CommandContext: stop ends the child in steps.
	command := exec.Command(p.path, append(p.args, "--lib", library)...)
	// The environment holds secrets of the server, and SQL must not be able to read them.
	command.Env = []string{}
	command.Stderr = os.Stderr
	// In a process group of its own the child does not get the interrupt that a terminal sends
	// to the server, and is stopped in its turn.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// The child watches its standard input: the end of it is the end of this process.
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

// begin starts the child with two further file descriptors: 3 is a pipe with the passwords of
// its two users, as one line of JSON, and 4 the listening socket. Passwords on the command
// line or in the environment could be read by others.
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
	// They become the descriptors 3 and 4 there.
	command.ExtraFiles = []*os.File{from, socket}
	if err := command.Start(); err != nil {
		return errors.Join(err, to.Close())
	}
	p.writer.Store(&secret)
	// A pipe holds more than this line, so the write does not wait for the child.
	_, err = to.Write(append(text, '\n'))
	if err = errors.Join(err, to.Close()); err != nil {
		// The child has ended already; run starts another one.
		p.log.Warn("clickhoused got no secrets", slog.Any("error", err))
	}
	return nil
}

// stop asks the child to end and kills it after stopLimit. It returns how the child ended; a
// child that was killed is an error too.
func stop(input io.Closer, command *exec.Cmd, ended chan error) error {
	// Both ask for the same: a child that does not watch its input still knows the signal.
	_ = input.Close()
	_ = command.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-ended:
		return err
	case <-time.After(stopLimit):
		_ = command.Process.Kill()
		return <-ended
	}
}

// Stop ends the child, by force after 25 s, and gives up the port.
func (p *Process) Stop() {
	p.stopping()
	p.ended.Wait()
	_ = p.listener.Close()
}
