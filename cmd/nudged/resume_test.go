package main_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const resumable = `apiVersion: nudge/v1
kind: Campaign
metadata: {name: later}
spec:
  status: active
  trigger: {event: {name: Go}}
  steps: [{id: rest, delay: 2s}, {id: tell, send: {channel: console, inline: {body: hi}}}]
`

// A campaign that stood still does not send what is overdue without being told to: apply
// says how many chains that are, changes nothing, and takes the rule.
func TestResumeAsksForTheLateRule(t *testing.T) {
	const customers = 12
	s := newServer(t, resumable, "NUDGE_PARTITIONS=2")
	s.start()
	s.ready()
	file := func(status, late string) string {
		text := strings.Replace(resumable, "status: active", "status: "+status+late, 1)
		path := filepath.Join(t.TempDir(), "later.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var calls []map[string]any
	for i := range customers {
		calls = append(calls, map[string]any{
			"type": "track", "event": "Go", "userId": fmt.Sprint("c", i), "messageId": fmt.Sprint("m", i),
		})
	}
	s.nudge("apply", file("paused", ""))
	s.nudge("apply", file("active", "")) // nobody waits: nothing is asked
	s.mustPost(calls)
	s.nudge("apply", file("paused", ""))
	s.wantRows(time.Minute, customers, "SELECT count() FROM nudge.chains")
	refused := fmt.Sprintf(`campaign "later": %d chains are overdue since it stood still`, customers)
	s.eventually(time.Minute, "the refusal", func() error {
		command := exec.Command(filepath.Join(binaries, "nudge"), "apply", "--dry-run", file("active", ""))
		command.Env = s.env
		out, err := command.CombinedOutput()
		if err != nil || !strings.Contains(string(out), fmt.Sprintf("%d due at once", customers)) {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	command := exec.Command(filepath.Join(binaries, "nudge"), "apply", file("active", ""))
	command.Env = s.env
	out, err := command.CombinedOutput()
	if err == nil || !strings.Contains(string(out), refused) || !strings.Contains(string(out), "late: skip") {
		t.Errorf("error %v: %s", err, out)
	}
	response, err := s.request(http.MethodPost, "/v1/rollback", []byte(`{"kind":"Campaign","name":"later"}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bodyOf(response); err == nil || !strings.Contains(err.Error(), "are overdue") ||
		response.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("rollback: %d, error %v", response.StatusCode, err)
	}
	if out := s.nudge("apply", file("active", "\n  late: exit")); !strings.Contains(out, "later: applied") {
		t.Errorf("with the rule: %s", out)
	}
}
