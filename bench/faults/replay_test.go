package faults_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// After kills the whole log gives the state that was saved, each time and in a copy.
func TestReplayEqual(t *testing.T) {
	l := begin(t, "replay",
		"with a state hash that depends on the process, verify says WRONG.")
	const kills, replays = 2, 3
	s := newServer(t, t.TempDir())
	s.start()
	stop := s.load()
	for range kills {
		s.acknowledged(time.Minute, 3000)
		s.kill()
		s.start()
	}
	s.acknowledged(time.Minute, 1000)
	stop(time.Minute)
	s.ready()
	found := s.settle(time.Minute)
	s.stop()
	first := s.states(s.data)
	for range replays - 1 {
		if again := s.states(s.data); again != first {
			t.Errorf("a second replay gives\n%s\nafter\n%s", again, first)
		}
	}
	if elsewhere := s.states(copyOf(s, s.data, "copy")); elsewhere != first {
		t.Errorf("a replay of a copy gives\n%s\nafter\n%s", elsewhere, first)
	}
	l.set(fmt.Sprintf("%d kills, then %d replays of all %d partitions and one of a copy", kills, replays, partitions),
		fmt.Sprintf("from sequence 1, every replay the same state hashes, equal to those saved, and the same effects; %s", found))
}

// states is what verify says of every partition, with its hash.
func (s *server) states(data string) string {
	s.t.Helper()
	out, err := exec.Command(filepath.Join(binaries, "nudge"), "verify", "--data", data).CombinedOutput()
	text := string(out)
	if err != nil || strings.Count(text, ": ok: frames 1..") != partitions || strings.Count(text, " state ") != partitions ||
		strings.Contains(text, "state 0000000000000000") {
		s.t.Fatalf("verify: error %v\n%s", err, text)
	}
	return text
}
