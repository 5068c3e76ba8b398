package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/internal/enginefetch"
)

// asProgram makes the test binary be clickhoused: the tests start real
// processes, without building a second binary.
const asProgram = "CLICKHOUSED_TEST_AS_PROGRAM"

// patience bounds every wait; nothing here should take more than a second.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	// The children find the library in the cache; fetching it once here, with
	// its progress, beats doing so within the patience of a test.
	fetcher, err := enginefetch.New(os.Stderr)
	if err == nil {
		_, err = fetcher.Path(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// Passwords of the servers under test.
const (
	ownerPassword  = "test-owner-pass-0001"
	readerPassword = "test-reader-pass-0001"
)

// endlessQuery would run for an hour.
const endlessQuery = "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(rand())"

// child is a clickhoused process.
type child struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines chan string // of its log; closed at its end
	log   []string    // lines already taken
	wait  func() error
}

// start starts `clickhoused serve` on dir, on a free port.
func start(t *testing.T, dir string, flags ...string) *child {
	t.Helper()
	return startWith(t, dir, func(*exec.Cmd) {}, flags...)
}

// startWith is start for a process that is changed before.
func startWith(t *testing.T, dir string, change func(*exec.Cmd), flags ...string) *child {
	t.Helper()
	args := append([]string{"serve", "--data", dir, "--listen", "127.0.0.1:0", "--watch-stdin"}, flags...)
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "CLICKHOUSED_PASSWORD="+ownerPassword,
		"CLICKHOUSED_READER_PASSWORD="+readerPassword)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	change(cmd)
	reader, writer := io.Pipe()
	cmd.Stderr = writer
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{t: t, cmd: cmd, stdin: stdin, lines: make(chan string, 1000)}
	go func() {
		defer close(c.lines)
		for scan := bufio.NewScanner(reader); scan.Scan(); {
			c.lines <- scan.Text()
		}
	}()
	c.wait = sync.OnceValue(func() error {
		err := cmd.Wait()
		return errors.Join(err, writer.Close())
	})
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = c.wait()
	})
	return c
}

// await returns the first log line with text.
func (c *child) await(text string) string {
	c.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case line, ok := <-c.lines:
			if !ok {
				c.t.Fatalf("unexpected end of the process before %q; its log:\n%s", text, strings.Join(c.log, "\n"))
			}
			c.log = append(c.log, line)
			if strings.Contains(line, text) {
				return line
			}
		case <-deadline:
			c.t.Fatalf("no %q within %v; the log:\n%s", text, patience, strings.Join(c.log, "\n"))
		}
	}
}

// ready waits until it serves and returns its address.
func (c *child) ready() string {
	c.t.Helper()
	_, after, ok := strings.Cut(c.await("msg=ready"), "listen=")
	if !ok {
		c.t.Fatal("no listen= in the ready line")
	}
	addr, _, _ := strings.Cut(after, " ")
	return addr
}

// ended waits for the process's end and returns how it ended.
func (c *child) ended() error {
	c.t.Helper()
	done := make(chan error, 1)
	go func() { done <- c.wait() }()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		c.t.Fatalf("the process still runs after %v", patience)
		return nil
	}
}

// serve starts a server on a new directory and returns its address.
func serve(t *testing.T, flags ...string) string {
	t.Helper()
	return start(t, t.TempDir(), flags...).ready()
}

// until asks sql again and again until the answer is want.
func until(t *testing.T, addr, sql, want string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		got := mustAsk(t, addr, sql)
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: still %q after %v; want %q", sql, got, patience, want)
		}
	}
}

// ask sends a statement, with pairs of URL parameters, as a POST.
func ask(t *testing.T, addr, sql string, params ...string) (*http.Response, string) {
	t.Helper()
	return send(t, http.MethodPost, addr, sql, params...)
}

func send(t *testing.T, method, addr, body string, params ...string) (*http.Response, string) {
	t.Helper()
	values := url.Values{}
	for i := 0; i < len(params); i += 2 {
		values.Set(params[i], params[i+1])
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+addr+"/?"+values.Encode(),
		strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return do(t, req)
}

// do sends a request, as the user default unless it says who asks.
func do(t *testing.T, req *http.Request) (*http.Response, string) {
	t.Helper()
	if req.Header.Get("X-ClickHouse-User") == "" && !req.URL.Query().Has("user") {
		req.Header.Set("X-ClickHouse-User", "default")
		req.Header.Set("X-ClickHouse-Key", ownerPassword)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(text)
}

// get reads a page.
func get(t *testing.T, addr, path string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, text := do(t, req)
	return text
}

// read sends a statement as the user reader.
func read(t *testing.T, addr, sql string, params ...string) (*http.Response, string) {
	t.Helper()
	return send(t, http.MethodPost, addr, sql, append(params, "user", "reader", "password", readerPassword)...)
}

func mustAsk(t *testing.T, addr, sql string, params ...string) string {
	t.Helper()
	res, text := ask(t, addr, sql, params...)
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s: unexpected status %s: %s", sql, res.Status, text)
	}
	return strings.TrimSuffix(text, "\n")
}
