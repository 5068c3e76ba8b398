package main_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What a newcomer gets wrong against a running server, and what they are told.
func TestNewcomerIsTold(t *testing.T) {
	s := newServer(t, explained, "NUDGE_PARTITIONS=1", "NUDGE_CLICKHOUSE_PASSWORD=")
	s.start()
	s.ready()
	s.mustPost([]map[string]any{{"type": "track", "userId": "ann", "event": "Hello"}})
	s.eventually(30*time.Second, "seen", func() error {
		_, err := s.look("/v1/customers/ann")
		return err
	})
	// The other keys are given: `nudge key` cannot print them.
	s.eventually(30*time.Second, "says which keys were made", func() error {
		if !strings.Contains(s.log.String(), "prints one: reader\n") {
			return errNotYet
		}
		return nil
	})
	f := func(exit int, want string, args ...string) {
		t.Helper()
		command := exec.Command(filepath.Join(binaries, "nudge"), args...)
		command.Env = s.env
		out, _ := command.CombinedOutput() // the exit code is checked
		if code := command.ProcessState.ExitCode(); code != exit || !strings.Contains(string(out), want) {
			t.Errorf("nudge %s: exit %d: %s; want %d, %q", strings.Join(args, " "), code, out, exit, want)
		}
	}
	f(1, `there is no campaign "gret"; `+"`nudge list`"+` shows which are; did you mean "greet"?`,
		"explain", "ann", "--campaign", "gret")
	f(1, `there is no campaign "gret"; `+"`nudge list`"+` shows which are; did you mean "greet"?`, "experiments", "gret")
	f(0, "no experiment looks for a winner", "experiments", "greet")
	f(1, "Campaign greet has only version 1: there is no earlier one to go back to", "rollback", "greet")
	f(1, "Campaign greet has the versions 1 to 1, not 7", "rollback", "greet", "--to", "7")
	f(1, `there is no Campaign "gret"; did you mean "greet"?`, "rollback", "gret")
	f(0, `no customer "an" was known at the request`, "erase", "an")
	f(0, `"done": true`, "erase", "an")
	f(1, "does not look like the admin address of a server", "list", "--admin", s.http)

	// A second server beside it is told what to change.
	second := newServer(t, "", "NUDGE_PARTITIONS=1", "NUDGE_ADMIN_LISTEN="+s.admin)
	second.start()
	if err := <-second.ended; err == nil {
		t.Error("a server on a port that is taken has started")
	}
	second.process = nil
	if log := second.log.String(); !strings.Contains(log, "admin_listen: the address cannot be used") ||
		!strings.Contains(log, "choose another one with --admin-listen or NUDGE_ADMIN_LISTEN") {
		t.Errorf("a port that is taken: %s", log)
	}
	command := exec.Command(filepath.Join(binaries, "nudge"), "erase", "ann")
	command.Env = s.env
	if out, err := command.CombinedOutput(); err != nil || strings.Contains(string(out), "known") {
		t.Errorf("a customer who is known: %v, %s", err, out)
	}
}
