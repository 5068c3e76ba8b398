package peers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const (
	// stopLimit is how long a process may take to end when asked to.
	stopLimit = time.Minute
	// logTail is how much of a log an error shows.
	logTail = 4 << 10
)

// process is a program that runs until it is stopped; what it says goes to a file.
type process struct {
	command *exec.Cmd
	log     string
	ended   chan struct{}
	failure error // read after ended
}

// start runs a program as the account.
func start(log string, a *account, program string, args ...string) (*process, error) {
	file, err := os.Create(log) //nolint:gosec // below the run's own directory
	if err != nil {
		return nil, fmt.Errorf("peers: %w", err)
	}
	defer file.Close() // the process has its own
	p := &process{log: log, ended: make(chan struct{})}
	p.command = exec.Command(program, args...) //nolint:gosec // ended by stop
	p.command.Stdout, p.command.Stderr = file, file
	p.command.Dir, p.command.SysProcAttr = "/", a.attributes()
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("peers: start of %s: %w", filepath.Base(program), err)
	}
	go func() {
		p.failure = p.command.Wait()
		close(p.ended)
	}()
	return p, nil
}

// await asks until the answer is no error.
func (p *process) await(ctx context.Context, limit time.Duration, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	poll := time.NewTicker(startPoll)
	defer poll.Stop()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return p.explain(errors.Join(errors.New("it ended"), p.failure))
		case <-ctx.Done():
			return p.explain(fmt.Errorf("not ready: %w (last answer: %w)", context.Cause(ctx), err))
		case <-poll.C:
		}
	}
}

// stop asks the process to end, and kills it when it does not.
func (p *process) stop(signal os.Signal) error {
	select {
	case <-p.ended:
		return p.explain(errors.Join(errors.New("it ended before the run was over"), p.failure))
	default:
	}
	_ = p.command.Process.Signal(signal) // it may have ended
	select {
	case <-p.ended:
	case <-time.After(stopLimit):
		_ = p.command.Process.Kill()
		<-p.ended
		return p.explain(fmt.Errorf("it did not stop in %v and was killed", stopLimit))
	}
	if p.failure != nil {
		return p.explain(p.failure)
	}
	return nil
}

// explain adds the end of the log to an error.
func (p *process) explain(err error) error {
	text, _ := os.ReadFile(p.log) // the error says enough without it
	return fmt.Errorf("peers: %s: %w\nend of its log:\n%s", filepath.Base(p.command.Path), err,
		text[max(0, len(text)-logTail):])
}
