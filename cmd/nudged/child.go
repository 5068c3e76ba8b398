package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Pauses between starts of the child.
const (
	childPause   = time.Second
	childNice    = 5 // rows may wait, customers should not
	childStop    = 25 * time.Second
	childHealthy = 30 * time.Second // after so long a run the pause is short again
)

// child runs clickhoused and starts it again when it ends. The child ends by
// itself when this process does, because its standard input is closed then.
type child struct {
	path string
	args []string
	log  *slog.Logger

	stopping context.CancelFunc
	ended    sync.WaitGroup
}

// startChild starts the embedded ClickHouse unless one elsewhere is configured.
func (n *node) startChild(context.Context) error {
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
	ctx, cancel := context.WithCancel(context.Background())
	n.child = &child{path: path, log: n.log, stopping: cancel, args: []string{
		"serve", "--data", n.config.path("clickhouse"),
		"--listen", n.config.ClickhouseListen, "--watch-stdin", "--nice", strconv.Itoa(childNice),
	}}
	n.child.ended.Go(func() { n.child.run(ctx) })
	return nil
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
	command := exec.Command(c.path, c.args...) // ended by hand below
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt from the terminal is for us
	input, err := command.StdinPipe()
	if err != nil {
		return fmt.Errorf("clickhoused: %w", err)
	}
	if err := command.Start(); err != nil {
		return fmt.Errorf("clickhoused: %w", err)
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
}
