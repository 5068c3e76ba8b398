package faults_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/internal/plainenv"
	"github.com/nudge-engine/nudge/internal/servertest"
)

const (
	writeKey       = "test-write-key-0001"
	adminKey       = "test-admin-key-0001"
	readerPassword = "test-reader-pass-0001"
	ownerPassword  = "test-owner-pass-0001" // of the user default of a ClickHouse that nudged does not own
	partitions     = 8
)

var errNotYet = servertest.ErrNotYet

// breakable is the folder of the programs that were built with the tag "faults".
const breakable = "breakable"

// binaries is where TestMain built the programs.
var binaries string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if dir := os.Getenv(readAsked); dir != "" {
		return printLog(dir)
	}
	if at := os.Getenv(natsAsked); at != "" {
		return serveNats(at)
	}
	if !asked() {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "nudge-faults-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = servertest.Build(dir, "", "cmd/nudged", "cmd/nudge", "cmd/clickhoused")
	}
	if err == nil { // a server that a campaign can break, see campaign/expr/faults_on.go
		err = servertest.Build(filepath.Join(dir, breakable), "faults", "cmd/nudged", "cmd/nudge", "cmd/clickhoused")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	binaries = dir
	return m.Run()
}

func asked() bool { return os.Getenv("NUDGE_FAULTS") == "1" }

// server is a real nudged with a ledger of what it acknowledged and a receiver of
// what it sent.
type server struct {
	t                 *testing.T
	dir, data         string
	http, admin, rows string
	env               []string
	process           *exec.Cmd
	ended             chan error
	log               *servertest.Output
	hook              *receiver
	book              *ledger
	clickhouse        string        // where ClickHouse answers when it is not the server's own
	quiet             bool          // no event starts anything
	patience          time.Duration // how long a client repeats a batch
	build             string        // which of the binaries: breakable or ""
	campaigns         string        // directory of the definitions
	crowd             crowd
}

// crowd is who sends the load of a server.
type crowd struct {
	clients  int
	pause    time.Duration        // of a client before each batch
	customer func(n int) string   // of an event
	extra    func(map[string]any) // changes an event's properties; may be nil
}

const definitions = `
apiVersion: nudge/v1
kind: Channel
metadata: {name: hook}
spec: {type: webhook, url: %q}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: each}
spec:
  trigger: {event: {name: Bought, where: event.properties.send == true}}
  reentry: {on_active: parallel}
  steps:
    - {id: wait, delay: 1s}
    - {id: say, send: {channel: hook, inline: {body: "{{ trigger.properties.n }}"}}}
`

// newServer prepares a server whose data lies in dir.
func newServer(t *testing.T, dir string, env ...string) *server {
	t.Helper()
	s := &server{
		t: t, dir: dir, data: filepath.Join(dir, "data"), http: servertest.FreePort(t), admin: servertest.FreePort(t), rows: servertest.FreePort(t),
		log: new(servertest.Output), hook: newReceiver(t), book: newLedger(),
		patience: 10 * time.Minute, campaigns: t.TempDir(),
		crowd: crowd{clients: clients, pause: 25 * time.Millisecond, customer: customerOf},
	}
	s.define("all", fmt.Sprintf(definitions, s.hook.URL))
	s.env = append(plainenv.Environ(), "NUDGE_HTTP_LISTEN="+s.http, "NUDGE_ADMIN_LISTEN="+s.admin,
		"NUDGE_CLICKHOUSE_LISTEN="+s.rows, "NUDGE_WRITE_KEY="+writeKey, "NUDGE_CAMPAIGNS_DIR="+s.campaigns,
		"NUDGE_ADMIN_KEY="+adminKey, "NUDGE_CLICKHOUSE_PASSWORD="+readerPassword,
		"NUDGE_MIN_FREE=1", fmt.Sprintf("NUDGE_PARTITIONS=%d", partitions), "NUDGE_SNAPSHOT_EVERY=500ms",
		"NUDGE_EGRESS_ALLOW=127.0.0.1")
	s.env = append(s.env, env...)
	t.Cleanup(func() {
		if t.Failed() {
			s.keepLog()
		}
		s.kill()
	})
	return s
}

// define adds a file of definitions, which the next start applies.
func (s *server) define(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.campaigns, name+".yaml"), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// keepLog writes what the server printed to a file that outlives the test, with
// the stacks of a process that still runs.
func (s *server) keepLog() {
	text := s.log.String()
	if s.process != nil && !s.over() {
		_ = s.process.Process.Signal(syscall.SIGQUIT)
		select {
		case err := <-s.ended:
			s.ended <- err
		case <-time.After(10 * time.Second):
		}
	}
	file := filepath.Join(os.TempDir(), strings.ReplaceAll(s.t.Name(), "/", "-")+".log")
	err := os.WriteFile(file, []byte(s.log.String()), 0o600)
	s.t.Logf("the whole log of nudged, with its stacks if it ran: %s (error %v); its end:\n%s", file, err,
		text[max(0, len(text)-5000):])
}

// start starts it; env goes before what was set before.
func (s *server) start(env ...string) {
	s.t.Helper()
	s.process = exec.Command(filepath.Join(binaries, s.build, "nudged"))
	s.process.Env = append(append(append([]string{}, s.env...), "NUDGE_DATA_DIR="+s.data), env...)
	s.process.Stdout, s.process.Stderr = s.log, s.log
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.ended = make(chan error, 1)
	process, ended := s.process, s.ended
	go func() { ended <- process.Wait() }()
}

// signal sends a signal to the process.
func (s *server) signal(what syscall.Signal) {
	s.t.Helper()
	if err := s.process.Process.Signal(what); err != nil {
		s.t.Fatal(err)
	}
}

// over says whether the process ended by itself.
func (s *server) over() bool {
	select {
	case err := <-s.ended:
		s.ended <- err
		return true
	default:
		return false
	}
}

// kill ends the process as a crash would and waits until its engine is gone too.
func (s *server) kill() {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Kill()
	if err := <-s.ended; err == nil {
		s.t.Log("nudged had ended by itself")
	}
	s.process = nil
	_ = servertest.Poll(context.Background(), 30*time.Second, func() error {
		if c, err := net.DialTimeout("tcp", s.rows, time.Second); err == nil {
			_ = c.Close()
			return errNotYet
		}
		return nil
	})
}

// stop ends it as an operator would.
func (s *server) stop() {
	s.t.Helper()
	s.signal(syscall.SIGTERM)
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

func (s *server) ready() {
	s.t.Helper()
	s.eventually(90*time.Second, "ready", func() error {
		_, err := get("http://" + s.http + "/readyz")
		return err
	})
}

// halted says whether the server alarms for a partition.
func (s *server) halted(p int) bool {
	text, _ := s.look("/metrics")
	return strings.Contains(text, fmt.Sprintf("nudge_partition_halted{partition=\"%d\"} 1\n", p))
}

// eventually repeats check until it returns nil; the last error fails the test.
func (s *server) eventually(limit time.Duration, what string, check func() error) {
	s.t.Helper()
	servertest.Eventually(s.t, limit, what, check)
}

// look reads from the admin address, which needs the admin key.
func (s *server) look(path string) (string, error) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+s.admin+path, http.NoBody)
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer "+adminKey)
	return answer(request)
}

func get(address string) (string, error) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, address, http.NoBody)
	if err != nil {
		return "", err
	}
	return answer(request)
}

// answer is an answer's text; an answer other than 200 is an error.
func answer(request *http.Request) (string, error) {
	client := http.Client{Timeout: 20 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, text)
	}
	return string(text), err
}

// query asks ClickHouse as its user reader and returns the answer's text.
func (s *server) query(sql string) (string, error) {
	text, err := get("http://reader:" + readerPassword + "@" + cmp.Or(s.clickhouse, s.rows) + "/?query=" +
		url.QueryEscape(sql))
	return strings.TrimSpace(text), err
}

// verify replays the stopped server's log.
func (s *server) verify() {
	s.t.Helper()
	out, err := exec.Command(filepath.Join(binaries, s.build, "nudge"), "verify", "--data", s.data).CombinedOutput()
	if err != nil || strings.Count(string(out), ": ok:") != partitions {
		s.t.Errorf("verify: error %v\n%s", err, out)
	}
}

// tell shows the lines of the server's log that hold a word.
func (s *server) tell(words ...string) {
	s.t.Helper()
	seen := 0
	for text := range strings.Lines(s.log.String()) {
		holds := func(word string) bool { return strings.Contains(text, word) }
		if slices.ContainsFunc(words, holds) && seen < 8 {
			seen++
			s.t.Log(strings.TrimSpace(text))
		}
	}
}
