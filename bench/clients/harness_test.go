package clients_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/internal/plainenv"
	"github.com/nudge-engine/nudge/internal/servertest"
)

// Which clients are installed, as NUDGE_CLIENTS says.
const (
	npm = "npm" // those of Go and Node
	all = "all" // Python's and Java's, too
)

// programs is where the servers under test are.
var programs string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if os.Getenv("NUDGE_CLIENTS") == "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "nudge-clients-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = servertest.Build(dir, "", "cmd/nudged", "cmd/clickhoused", "bench/clients/go")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	programs = dir
	return m.Run()
}

// needs skips the test unless the clients of a group are installed.
func needs(t *testing.T, group string) {
	t.Helper()
	asked := os.Getenv("NUDGE_CLIENTS")
	switch asked {
	case "":
		t.Skip("real clients are installed and run by `make clients`")
	case npm, all:
	default:
		t.Fatalf("NUDGE_CLIENTS is %q; want npm or all", asked)
	}
	if group == all && asked != all {
		t.Skip("needs Python's and Java's clients, which `make clients` installs")
	}
}

// installed is a folder that the Makefile filled; variable names it.
func installed(t *testing.T, variable string) string {
	t.Helper()
	dir := os.Getenv(variable)
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("%s: %v; run `make clients`", variable, err)
	}
	return dir
}

// node is the command of a program in the folder node.
func node(t *testing.T, program string, args ...string) *exec.Cmd {
	t.Helper()
	modules := installed(t, "NUDGE_CLIENTS_NODE")
	// An import is looked for beside the program, so both are put into one folder.
	dir := t.TempDir()
	if err := errors.Join(os.CopyFS(dir, os.DirFS("node")),
		os.Symlink(modules, filepath.Join(dir, "node_modules"))); err != nil {
		t.Fatal(err)
	}
	return exec.CommandContext(t.Context(), "node", append([]string{filepath.Join(dir, program)}, args...)...)
}

// python is the command of a program in the folder python.
func python(t *testing.T, program string, args ...string) *exec.Cmd {
	t.Helper()
	interpreter := filepath.Join(installed(t, "NUDGE_CLIENTS_PYTHON"), "bin", "python")
	args = append([]string{"-B", filepath.Join("python", program)}, args...)
	return exec.CommandContext(t.Context(), interpreter, args...)
}

// finish runs a client to its end and wants it to say that all went well.
func finish(t *testing.T, client *exec.Cmd) string {
	t.Helper()
	var printed servertest.Output
	client.Env = append(plainenv.Environ(), client.Env...)
	client.Stdout, client.Stderr, client.WaitDelay = &printed, &printed, 5*time.Second
	limit := time.AfterFunc(2*time.Minute, func() { _ = client.Process.Kill() })
	if err := client.Start(); err != nil {
		limit.Stop()
		t.Fatal(err)
	}
	err := client.Wait()
	if !limit.Stop() {
		err = errors.Join(err, errors.New("it took longer than two minutes"))
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s", client, err, printed.String())
	}
	return printed.String()
}

// serve starts a program and stops it at the end of the test; ready repeats until nil.
func serve(t *testing.T, env []string, ready func() error, program string, args ...string) {
	t.Helper()
	var log servertest.Output
	process := exec.Command(filepath.Join(programs, program), args...)
	process.Env, process.Stdout, process.Stderr = append(plainenv.Environ(), env...), &log, &log
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	t.Cleanup(func() {
		_ = process.Process.Signal(syscall.SIGTERM)
		limit := time.AfterFunc(30*time.Second, func() { _ = process.Process.Kill() })
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", program, err)
		}
		limit.Stop()
		if t.Failed() {
			text := log.String()
			t.Logf("log of %s, its end:\n%s", program, text[max(0, len(text)-3000):])
		}
	})
	servertest.Eventually(t, 90*time.Second, program+" is ready", func() error {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s ended: %v", program, err)
		default:
		}
		return ready()
	})
}

// server is a nudged with default settings but for its ports and its directory.
type server struct {
	url        string // for events
	clickhouse string // HOST:PORT
	keys       struct {
		Write  string `json:"write_key"`
		Reader string `json:"reader_password"`
	}
}

func begin(t *testing.T, env ...string) *server {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	events, admin := servertest.FreePort(t), servertest.FreePort(t)
	s := &server{url: "http://" + events, clickhouse: servertest.FreePort(t)}
	env = append([]string{
		"NUDGE_DATA_DIR=" + data, "NUDGE_HTTP_LISTEN=" + events, "NUDGE_ADMIN_LISTEN=" + admin,
		"NUDGE_CLICKHOUSE_LISTEN=" + s.clickhouse, "NUDGE_PARTITIONS=2", "NUDGE_MIN_FREE=1", "NUDGE_LOG_BYTES=134217728",
	}, env...)
	serve(t, env, func() error {
		return errors.Join(healthy(t, s.url+"/readyz"), healthy(t, "http://"+s.clickhouse+"/ping"))
	}, "nudged")
	text, err := os.ReadFile(filepath.Join(data, "node.json"))
	if err == nil {
		err = json.Unmarshal(text, &s.keys)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rows asks ClickHouse as the reader; each row is decoded into a T.
func rows[T any](t *testing.T, s *server, sql string) ([]T, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		"http://"+s.clickhouse+"/?default_format=JSONEachRow", strings.NewReader(sql))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-ClickHouse-User", "reader")
	request.Header.Set("X-ClickHouse-Key", s.keys.Reader)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("rows: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1000))
		return nil, fmt.Errorf("rows: %s: %s", response.Status, text)
	}
	var found []T
	for d := json.NewDecoder(response.Body); ; {
		var row T
		if err := d.Decode(&row); errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return nil, fmt.Errorf("rows: %w", err)
		}
		found = append(found, row)
	}
}

func healthy(t *testing.T, url string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("healthy: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	return nil
}
