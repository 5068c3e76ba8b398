package attacks_test

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

var errNotYet = servertest.ErrNotYet

// programs is where the attacked programs are.
var programs string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	programs = os.Getenv("NUDGE_ATTACKS_PROGRAMS")
	if os.Getenv("NUDGE_ATTACKS") != "1" || programs != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "nudge-attacks-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = servertest.Build(dir, "", "cmd/nudged", "cmd/nudge", "cmd/clickhoused")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	programs = dir
	return m.Run()
}

// attack skips the test unless attacks were asked for.
func attack(t *testing.T) {
	t.Helper()
	if os.Getenv("NUDGE_ATTACKS") != "1" {
		t.Skip("attacks start real servers: run `make attacks`")
	}
}

// server is a nudged with default settings but for its ports and its directory.
type server struct {
	t                       *testing.T
	dir, data               string
	http, admin, clickhouse string
	env                     []string
	files                   int // limit of open files; 0: that of the test
	process                 *exec.Cmd
	ended                   chan struct{}
	failure                 error // of the process; read after ended
	log                     *servertest.Output
	keys                    keys
}

// keys are what a first start made.
type keys struct {
	Write  string `json:"write_key"`
	Admin  string `json:"admin_key"`
	Reader string `json:"reader_password"`
}

// prepare is a server that is not started; definitions are applied at its start.
func prepare(t *testing.T, definitions string, env ...string) *server {
	t.Helper()
	dir := t.TempDir()
	s := &server{
		t: t, dir: dir, data: filepath.Join(dir, "data"), log: new(servertest.Output),
		http: servertest.FreePort(t), admin: servertest.FreePort(t), clickhouse: servertest.FreePort(t),
	}
	s.env = append(plainenv.Environ(), "NUDGE_DATA_DIR="+s.data, "NUDGE_HTTP_LISTEN="+s.http,
		"NUDGE_ADMIN_LISTEN="+s.admin, "NUDGE_CLICKHOUSE_LISTEN="+s.clickhouse, "NUDGE_PARTITIONS=2",
		"NUDGE_MIN_FREE=1", "NUDGE_SNAPSHOT_EVERY=300ms", "NUDGE_LOG_BYTES=134217728")
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
			t.Logf("log of nudged, its end:\n%s", s.log.Tail(3000))
		}
	})
	return s
}

// begin starts a server and waits until it is ready.
func begin(t *testing.T, definitions string, env ...string) *server {
	t.Helper()
	s := prepare(t, definitions, env...)
	s.start()
	s.ready()
	return s
}

func (s *server) start() {
	s.t.Helper()
	s.process = exec.Command(filepath.Join(programs, "nudged"))
	if s.files > 0 {
		limit := fmt.Sprintf("--nofile=%d:%d", s.files, s.files)
		s.process = exec.Command("prlimit", limit, filepath.Join(programs, "nudged"))
	}
	s.process.Env, s.process.Stdout, s.process.Stderr = s.env, s.log, s.log
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	process, ended := s.process, make(chan struct{})
	s.ended = ended
	go func() {
		s.failure = process.Wait()
		close(ended)
	}()
}

// ready waits until events are taken and ClickHouse answers, and reads the keys.
func (s *server) ready() {
	s.t.Helper()
	s.eventually(90*time.Second, "ready", func() error {
		select {
		case <-s.ended:
			s.t.Fatalf("the server ended: %v", s.failure)
		default:
		}
		if a := s.ask(http.MethodGet, s.http, "/readyz", nil, ""); a.status != http.StatusOK {
			return fmt.Errorf("readyz says %d", a.status)
		}
		if a := s.ask(http.MethodGet, s.clickhouse, "/ping", nil, ""); a.status != http.StatusOK {
			return fmt.Errorf("ping says %d", a.status)
		}
		return nil
	})
	text, err := os.ReadFile(filepath.Join(s.data, "node.json"))
	if err == nil {
		err = json.Unmarshal(text, &s.keys)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// ends waits until the server has ended by itself and returns what it printed.
func (s *server) ends(limit time.Duration) string {
	s.t.Helper()
	select {
	case <-s.ended:
		if s.failure == nil {
			s.t.Error("the server ended without an error")
		}
		s.process = nil
	case <-time.After(limit):
		s.t.Errorf("the server goes on")
	}
	return s.log.String()
}

func (s *server) stop() {
	s.t.Helper()
	_ = s.process.Process.Signal(syscall.SIGTERM) // an end by itself is seen below
	select {
	case <-s.ended:
		if s.failure != nil {
			s.t.Errorf("the server ended with %v", s.failure)
		}
		s.process = nil
	case <-time.After(60 * time.Second):
		s.t.Fatal("the server did not stop")
	}
}

func (s *server) kill() {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Kill()
	<-s.ended
	s.process = nil
}

// alive fails when the process ended.
func (s *server) alive() {
	s.t.Helper()
	select {
	case <-s.ended:
		s.t.Fatalf("the server ended: %v", s.failure)
	default:
	}
}

// answer is what a listener said; status 0 when there was none.
type answer struct {
	status int
	text   string
	header http.Header
}

// ask makes a request to an address. A header "Host" sets the host of the request.
func (s *server) ask(method, address, path string, header map[string]string, body string) answer {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, "http://"+address, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.URL.Opaque = path // as it is: not cleaned, not even a right escape
	for name, value := range header {
		if name == "Host" {
			request.Host = value
			continue
		}
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return answer{text: err.Error()}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 4<<20))
	if err != nil {
		return answer{text: err.Error()}
	}
	return answer{status: response.StatusCode, text: string(text), header: response.Header}
}

// track sends a call with the write key.
func (s *server) track(customer, event, properties string) answer {
	s.t.Helper()
	request := map[string]string{"Content-Type": "application/json", "Authorization": basic(s.keys.Write)}
	return s.ask(http.MethodPost, s.http, "/v1/track", request,
		fmt.Sprintf(`{"userId":%q,"event":%q,"properties":%s}`, customer, event, properties))
}

// manage makes a request to the admin address with its key.
func (s *server) manage(method, path, body string) answer {
	s.t.Helper()
	return s.ask(method, s.admin, path, map[string]string{
		"Authorization": "Bearer " + s.keys.Admin, "Content-Type": "application/json",
	}, body)
}

// query asks ClickHouse as the reader.
func (s *server) query(sql string) answer {
	s.t.Helper()
	return s.ask(http.MethodPost, s.clickhouse, "/", s.reader(), sql)
}

func (s *server) reader() map[string]string {
	return map[string]string{"X-ClickHouse-User": "reader", "X-ClickHouse-Key": s.keys.Reader}
}

// cell waits until a query gives a text.
func (s *server) cell(limit time.Duration, want, sql string) {
	s.t.Helper()
	s.eventually(limit, sql, func() error {
		if a := s.query(sql); strings.TrimSpace(a.text) != want {
			return fmt.Errorf("%d %s; want %s", a.status, a.text, want)
		}
		return nil
	})
}

// eventually repeats check until it returns nil; the last error fails the test.
func (s *server) eventually(limit time.Duration, what string, check func() error) {
	s.t.Helper()
	servertest.Eventually(s.t, limit, what, check)
}

// refused wants an answer that gives nothing: an error of the client, without the words.
func refused(t *testing.T, what string, a answer, words ...string) {
	t.Helper()
	if a.status < 400 || a.status > 499 {
		t.Errorf("%s: answered with %d %.300s", what, a.status, a.text)
	}
	for _, word := range words {
		if strings.Contains(a.text, word) {
			t.Errorf("%s: the answer tells %q: %.300s", what, word, a.text)
		}
	}
}
