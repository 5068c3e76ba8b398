package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/nudge-engine/nudge/internal/plainenv"
	"github.com/nudge-engine/nudge/internal/procattr"
)

// ServerConfig says which server is measured.
type ServerConfig struct {
	Programs   string // directory of nudged and clickhoused
	Dir        string // below it a temporary directory is made; on a real disk
	Partitions int    // 0: the server's default
}

// How long the server may take to start and to stop, and how often it is asked whether it
// is up.
const (
	startLimit = 90 * time.Second
	stopLimit  = 60 * time.Second
	startPoll  = 50 * time.Millisecond
	// restartLimit is for a start that replays the log first.
	restartLimit = 10 * time.Minute
)

// maxAnswer bounds what is read of an answer, a profile among them.
const maxAnswer = 16 << 20

// The keys of the server under test; they live as long as the run.
const (
	writeKey       = "test-write-key-0001"
	adminKey       = "test-admin-key-0001"
	readerPassword = "test-reader-pass-0001"
)

// Server is a nudged of its own, with everything embedded and fsync on.
type Server struct {
	dir        string
	events     string // address for events
	admin      string
	clickhouse string
	program    string
	args       []string
	process    *exec.Cmd
	log        *tail
	ended      chan struct{} // closed when the process ended
	failure    error         // of the process; read after ended
}

// StartServer starts nudged with the definitions in force and waits until it is
// ready. Stop it, also after the context ended.
func StartServer(ctx context.Context, c ServerConfig, definitions []string) (*Server, error) {
	dir, err := temporary(c.Dir)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, log: &tail{}, ended: make(chan struct{})}
	if err := s.start(c, definitions); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.await(ctx); err != nil {
		_ = s.Stop() // what it would say is said already
		return nil, err
	}
	return s, nil
}

// temporary makes a directory below parent, which is made too: one that every user may
// pass, because PostgreSQL is another one when this runs as root.
func temporary(parent string) (string, error) {
	if err := os.MkdirAll(parent, 0o751); err != nil {
		return "", fmt.Errorf("bench: --dir: %w", err)
	}
	dir, err := os.MkdirTemp(parent, "bench-*")
	if err != nil {
		return "", fmt.Errorf("bench: --dir: %w", err)
	}
	return filepath.Abs(dir)
}

func (s *Server) start(c ServerConfig, definitions []string) error {
	ports, err := freePorts(3)
	if err != nil {
		return err
	}
	s.events, s.admin, s.clickhouse = ports[0], ports[1], ports[2]
	campaigns := filepath.Join(s.dir, "campaigns")
	if err := os.Mkdir(campaigns, 0o750); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	for i, text := range definitions {
		name := filepath.Join(campaigns, fmt.Sprintf("bench-%d.yaml", i))
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			return fmt.Errorf("bench: %w", err)
		}
	}
	args := []string{
		"--data-dir", filepath.Join(s.dir, "data"), "--campaigns-dir", campaigns,
		"--http-listen", s.events, "--admin-listen", s.admin, "--clickhouse-listen", s.clickhouse,
		"--log-level", "warn",
	}
	if c.Partitions > 0 {
		args = append(args, "--partitions", strconv.Itoa(c.Partitions))
	}
	s.program, s.args = filepath.Join(c.Programs, "nudged"), args
	return s.launch()
}

// launch starts the process.
func (s *Server) launch() error {
	s.process = exec.Command(s.program, s.args...) //nolint:gosec // our own program; ended by Stop
	s.process.Stderr = s.log
	s.process.Env = append(plainenv.Environ(), "NUDGE_WRITE_KEY="+writeKey, "NUDGE_ADMIN_KEY="+adminKey,
		"NUDGE_CLICKHOUSE_PASSWORD="+readerPassword, "NUDGE_EGRESS_ALLOW=127.0.0.1")
	// A bench that is killed takes the server with it; an interrupt from the
	// terminal is for the bench, which then stops the server.
	s.process.SysProcAttr = procattr.Own(syscall.SIGTERM)
	if err := s.process.Start(); err != nil {
		return fmt.Errorf("bench: nudged does not start; run `make build`, or use --programs: %w", err)
	}
	ended := make(chan struct{})
	s.ended, s.failure = ended, nil
	go func() {
		s.failure = s.process.Wait()
		close(ended)
	}()
	return nil
}

// Restart kills the server with SIGKILL, starts it again on the same data, and says
// how long it took from the start of the process until it was ready: every record of
// the log applied.
func (s *Server) Restart(ctx context.Context) (time.Duration, error) {
	if err := s.process.Process.Kill(); err != nil {
		return 0, fmt.Errorf("bench: kill: %w", err)
	}
	<-s.ended
	began := time.Now()
	if err := s.launch(); err != nil {
		return 0, err
	}
	limited, cancel := context.WithTimeout(ctx, restartLimit)
	defer cancel()
	err := s.until(limited, func() error {
		_, err := get(limited, "http://"+s.events+"/readyz")
		return err
	})
	return time.Since(began), err
}

// freePorts finds addresses on which nothing listens.
func freePorts(n int) ([]string, error) {
	var found []string
	for range n {
		l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("bench: no free port: %w", err)
		}
		defer l.Close() // free again for the server
		found = append(found, l.Addr().String())
	}
	return found, nil
}

// await waits until the server is ready and its tables are there.
func (s *Server) await(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	return s.until(limited, func() error {
		if _, err := get(limited, "http://"+s.events+"/readyz"); err != nil {
			return err
		}
		_, err := s.Query(limited, "SELECT count() FROM nudge.events")
		return err
	})
}

// until asks until the answer is no error.
func (s *Server) until(limited context.Context, ask func() error) error {
	for {
		err := ask()
		if err == nil {
			return nil
		}
		if wrong := s.wait(limited, startPoll); wrong != nil {
			return s.explain(fmt.Errorf("bench: nudged is not ready: %w (last answer: %w)", wrong, err))
		}
	}
}

// wait pauses, and says why there is no use in going on.
func (s *Server) wait(ctx context.Context, d time.Duration) error {
	select {
	case <-s.ended:
		return fmt.Errorf("nudged ended: %w", errors.Join(s.failure, errors.New("before the run was over")))
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// explain adds the last lines of the server's log to an error.
func (s *Server) explain(err error) error {
	return fmt.Errorf("%w\nlast lines of the server's log:\n%s", err, s.log)
}

// Stop ends the server in its own order and removes its data.
func (s *Server) Stop() error {
	var errs []error
	_ = s.process.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-s.ended:
	case <-time.After(stopLimit):
		errs = append(errs, s.explain(fmt.Errorf("bench: nudged did not stop in %v and was killed", stopLimit)))
		_ = s.process.Process.Kill()
		<-s.ended
	}
	if s.failure != nil && len(errs) == 0 {
		errs = append(errs, s.explain(fmt.Errorf("bench: nudged ended with an error: %w", s.failure)))
	}
	return errors.Join(append(errs, remove(s.dir))...)
}

// remove removes a directory in which a process that is ending may still write.
func remove(dir string) error {
	var err error
	for range 50 {
		if err = os.RemoveAll(dir); err == nil {
			return nil
		}
		time.Sleep(startPoll)
	}
	return fmt.Errorf("bench: the data of the run are left behind: %w", err)
}

func get(ctx context.Context, address string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return "", err
	}
	return answer(request)
}

// look reads from the admin address, which needs the admin key.
func (s *Server) look(ctx context.Context, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.admin+path, http.NoBody)
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer "+adminKey)
	return answer(request)
}

// answer is an answer's text; an answer other than 200 is an error.
func answer(request *http.Request) (string, error) {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, text)
	}
	return string(text), err
}
