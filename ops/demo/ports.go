package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// Where the demo is unless a flag or variable says otherwise; the flags of `nudge demo` have
// the same defaults, as have the settings of a server.
const (
	DefaultData       = "data"
	DefaultHTTP       = "127.0.0.1:8080"
	DefaultAdmin      = "127.0.0.1:8081"
	DefaultClickhouse = "127.0.0.1:8123"
	DefaultKey        = "nudge-demo-write-key"
)

// leaving is how long a server that was just stopped may still hold its data.
const leaving = 5 * time.Second

// errNotStarted ends the message of a demo whose server ended before it was ready.
var errNotStarted = errors.New("the demo has not begun")

// choosePorts takes other ports for usual ones that are taken, and prints so. A port that was
// asked for, by flag or variable, is an error instead. Another process may still take a port
// before the server listens on it; then the server says so.
func (d *Demo) choosePorts(ctx context.Context) error {
	// Each address with the flag and the variable that set it.
	for _, a := range []struct {
		address        *string
		usual          string
		what, flag, in string
	}{
		{&d.HTTP, DefaultHTTP, "events", "--http", "NUDGE_HTTP_LISTEN"},
		{&d.Admin, DefaultAdmin, "administration", "--admin", "NUDGE_ADMIN_LISTEN"},
		{&d.Clickhouse, DefaultClickhouse, "ClickHouse", "--clickhouse", "NUDGE_CLICKHOUSE_LISTEN"},
	} {
		_, err := tryListen(ctx, *a.address)
		if err == nil {
			continue
		}
		// A port that somebody has chosen is not replaced in silence.
		if _, set := os.LookupEnv(a.in); set || *a.address != a.usual {
			return fmt.Errorf("the address for %s cannot be used: %w; choose another one with %s or %s",
				a.what, err, a.flag, a.in)
		}
		free, err := tryListen(ctx, "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("no free port for %s: %w", a.what, err)
		}
		fmt.Fprintf(d.Out, "%s is taken: %s is for %s (%s or %s sets another one)\n",
			a.usual, free, a.what, a.flag, a.in)
		*a.address = free
	}
	return nil
}

// tryListen listens on an address for a moment and returns it, with the port that the system
// chose for port 0.
func tryListen(ctx context.Context, address string) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// dataIsFree creates the data directory and looks that no server runs on it; otherwise the
// error says whom to stop, or what to choose. A server that is just stopping is waited for.
func (d *Demo) dataIsFree(ctx context.Context) error {
	if err := os.MkdirAll(d.Data, 0o700); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, leaving)
	defer cancel()
	lock := flock.New(filepath.Join(d.Data, "lock"))
	if locked, err := lock.TryLockContext(limited, leaving/50); err != nil || !locked {
		return fmt.Errorf("a server runs on the data directory %s already: stop it, or choose another directory with "+
			"--data-dir or NUDGE_DATA_DIR", d.Data)
	}
	return lock.Unlock()
}
