package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/nudge-engine/nudge/internal/plainenv"
	"github.com/nudge-engine/nudge/sink/warehouse"
)

// ownerPassword is of the user default of a ClickHouse that belongs to no server.
const ownerPassword = "bench-owner-pass-0001"

// clickHouseStart bounds the start of a ClickHouse.
const clickHouseStart = time.Minute

// aloneClickHouse is the engine without a server, with the server's tables.
type aloneClickHouse struct {
	*warehouse.ClickHouse
	process *exec.Cmd
	dir     string
}

// startClickHouse starts clickhoused on a new directory and makes the tables.
func startClickHouse(ctx context.Context, c ServerConfig) (a *aloneClickHouse, err error) {
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(c.Dir, "nudge-bench-clickhouse-")
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	a = &aloneClickHouse{dir: dir}
	//nolint:gosec // our own program; ended by stop
	a.process = exec.Command(filepath.Join(c.Programs, "clickhoused"), "serve", "--data", dir, "--listen", ports[0])
	a.process.Env = append(plainenv.Environ(), "CLICKHOUSED_PASSWORD="+ownerPassword)
	if err := a.process.Start(); err != nil {
		return nil, fmt.Errorf("bench: clickhoused does not start; run `make build`, or use --programs: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.stop())
		}
	}()
	a.ClickHouse, err = warehouse.Open("http://default:"+ownerPassword+"@"+ports[0], true)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, clickHouseStart)
	defer cancel()
	for {
		if err = a.Migrate(limited); err == nil {
			return a, nil
		}
		select {
		case <-limited.Done():
			return nil, fmt.Errorf("bench: clickhoused does not answer: %w", err)
		case <-time.After(rowPoll):
		}
	}
}

// stop ends it and removes its directory.
func (a *aloneClickHouse) stop() error {
	var err error
	if a.ClickHouse != nil {
		err = a.Close()
	}
	err = errors.Join(err, a.process.Process.Signal(syscall.SIGTERM))
	_ = a.process.Wait() // it was asked to end
	return errors.Join(err, os.RemoveAll(a.dir))
}
