package main_test

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// startWithFiles is start under a limit of open files.
func (s *server) startWithFiles(limit int) {
	s.t.Helper()
	s.process = exec.Command(
		"sh",
		"-c",
		fmt.Sprintf("ulimit -n %d && exec %q", limit, filepath.Join(binaries, "nudged")),
	)
	s.process.Env = s.env
	s.process.Stdout, s.process.Stderr = s.log, s.log
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.ended = make(chan error, 1)
	process, ended := s.process, s.ended
	go func() { ended <- process.Wait() }()
}

// A client that opens more connections than the server has files, on either address, neither ends
// it nor keeps others out.
func TestMoreConnectionsThanFiles(t *testing.T) {
	const files = 320
	s := newServer(t, crashDefinitions("http://127.0.0.1:1/"), "NUDGE_PARTITIONS=2")
	s.startWithFiles(files)
	s.ready()
	for _, address := range []string{s.http, s.admin} {
		for range 3 * files {
			c, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(t.Context(), "tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
		}
		for n := range 5 {
			s.mustPost([]map[string]any{{"type": "track", "userId": fmt.Sprint("u", n), "event": "E"}})
		}
		for _, other := range []string{s.http, s.admin} {
			s.eventually(10*time.Second, "an answer of "+other, func() error {
				_, err := get("http://" + other + "/healthz")
				return err
			})
		}
	}
	if strings.Contains(s.log.String(), "too many open files") {
		t.Error("the server ran out of files")
	}
	s.stop()
}
