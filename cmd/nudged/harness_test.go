package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/internal/plainenv"
	"github.com/nudge-engine/nudge/internal/servertest"
)

// binaries is where TestMain built the programs.
var binaries string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "nudge-e2e-")
	if err = errors.Join(err, plainenv.Clear()); err == nil {
		err = servertest.Build(dir, "", "cmd/nudged", "cmd/nudge", "cmd/clickhoused", "cmd/nudge-bench")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binaries = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// The keys of the servers under test.
const (
	writeKey       = "test-write-key-0001"
	adminKey       = "test-admin-key-0001"
	readerPassword = "test-reader-pass-0001"
	ownerPassword  = "test-owner-pass-0001" // of the user default of a ClickHouse that nudged does not own
)

var errNotYet = servertest.ErrNotYet

// server is a real nudged with everything of its own.
type server struct {
	t          *testing.T
	data       string
	http       string
	admin      string
	clickhouse string
	env        []string
	process    *exec.Cmd
	ended      chan error
	log        *servertest.Output
}

// newServer prepares a server with the given definitions, if any; start starts it.
func newServer(t *testing.T, definitions string, env ...string) *server {
	t.Helper()
	dir := t.TempDir()
	s := &server{
		t: t, data: filepath.Join(dir, "data"), http: servertest.FreePort(t), admin: servertest.FreePort(t), clickhouse: servertest.FreePort(t),
		log: new(servertest.Output),
	}
	s.env = append(os.Environ(), "NUDGE_DATA_DIR="+s.data, "NUDGE_HTTP_LISTEN="+s.http, "NUDGE_ADMIN_LISTEN="+s.admin,
		"NUDGE_CLICKHOUSE_LISTEN="+s.clickhouse, "NUDGE_WRITE_KEY="+writeKey, "NUDGE_ADMIN_KEY="+adminKey,
		"NUDGE_CLICKHOUSE_PASSWORD="+readerPassword, "NUDGE_MIN_FREE=1", "NUDGE_EGRESS_ALLOW=127.0.0.1")
	if definitions != "" {
		campaigns := filepath.Join(dir, "campaigns")
		if err := errors.Join(os.MkdirAll(campaigns, 0o750),
			os.WriteFile(filepath.Join(campaigns, "all.yaml"), []byte(definitions), 0o600)); err != nil {
			t.Fatal(err)
		}
		s.env = append(s.env, "NUDGE_CAMPAIGNS_DIR="+campaigns)
	}
	s.env = append(s.env, env...)
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("log of nudged, its end:\n%s", s.log.Tail(6000))
		}
	})
	return s
}

func (s *server) start() {
	s.t.Helper()
	s.process = exec.Command(filepath.Join(binaries, "nudged"))
	s.process.Env = s.env
	s.process.Stdout, s.process.Stderr = s.log, s.log
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.ended = make(chan error, 1)
	process, ended := s.process, s.ended
	go func() { ended <- process.Wait() }()
}

func (s *server) ready() {
	s.t.Helper()
	s.eventually(90*time.Second, "ready", func() error {
		_, err := get("http://" + s.http + "/readyz")
		return err
	})
}

// kill ends the process as a crash would.
func (s *server) kill() {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Kill()
	if err := <-s.ended; err == nil {
		s.t.Log("nudged had ended by itself")
	}
	s.process = nil
}

// stop ends it as an operator would.
func (s *server) stop() {
	s.t.Helper()
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	select {
	case err := <-s.ended:
		if err != nil {
			s.t.Errorf("nudged ended with %v", err)
		}
		s.process = nil
	case <-time.After(60 * time.Second):
		s.t.Fatal("nudged did not stop in 60 s")
	}
}

// eventually repeats check until it returns nil; the last error fails the test.
func (s *server) eventually(limit time.Duration, what string, check func() error) {
	s.t.Helper()
	servertest.Eventually(s.t, limit, what, check)
}

// request makes a request of the admin address, which needs the admin key; the caller closes
// the answer's body.
func (s *server) request(method, path string, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.admin+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+adminKey)
	request.Header.Set("Content-Type", "application/json")
	return http.DefaultClient.Do(request)
}

// look reads from the admin address.
func (s *server) look(path string) (string, error) {
	response, err := s.request(http.MethodGet, path, nil)
	if err != nil {
		return "", err
	}
	return bodyOf(response)
}

func get(address string) (string, error) {
	response, err := http.Get(address)
	if err != nil {
		return "", err
	}
	return bodyOf(response)
}

// bodyOf is an answer's text; an answer other than 200 is an error.
func bodyOf(response *http.Response) (string, error) {
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, text)
	}
	return string(text), err
}

// query asks ClickHouse as its user reader and returns the answer's text.
func (s *server) query(sql string) (string, error) {
	text, err := get("http://reader:" + readerPassword + "@" + s.clickhouse + "/?query=" + url.QueryEscape(sql))
	return strings.TrimSpace(text), err
}

// wantRows waits until a query gives a number.
func (s *server) wantRows(limit time.Duration, want int, sql string) {
	s.t.Helper()
	s.eventually(limit, sql, func() error {
		text, err := s.query(sql)
		if err != nil {
			return err
		}
		if n, err := strconv.Atoi(text); err != nil || n != want {
			return fmt.Errorf("it is %s; want %d", text, want)
		}
		return nil
	})
}

// nudge runs the command-line tool.
func (s *server) nudge(args ...string) string {
	s.t.Helper()
	command := exec.Command(filepath.Join(binaries, "nudge"), args...)
	command.Env = s.env
	out, err := command.CombinedOutput()
	if err != nil {
		s.t.Fatalf("nudge %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// post sends a batch; it says whether the server acknowledged it.
func (s *server) post(client *http.Client, calls []map[string]any) (status int, err error) {
	body, err := json.Marshal(map[string]any{"batch": calls})
	if err != nil {
		return 0, err
	}
	request, err := http.NewRequest(
		http.MethodPost,
		"http://"+s.http+"/v1/batch",
		bytes.NewReader(body),
	)
	if err != nil {
		return 0, err
	}
	request.SetBasicAuth(writeKey, "")
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

// receiver is a webhook that records every send.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	sent map[string]map[string]int // trigger id -> delivery id -> how often
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{sent: map[string]map[string]int{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		var d struct {
			DeliveryID string `json:"delivery_id"`
			TriggerID  string `json:"trigger_id"`
		}
		if err := json.NewDecoder(q.Body).Decode(&d); err != nil || d.DeliveryID != q.Header.Get("Idempotency-Key") {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.sent[d.TriggerID] == nil {
			r.sent[d.TriggerID] = map[string]int{}
		}
		r.sent[d.TriggerID][d.DeliveryID]++
	}))
	t.Cleanup(r.Close)
	return r
}
