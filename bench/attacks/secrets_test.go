package attacks_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What another process of the machine may look at tells no secret: arguments of every
// process, the environment of the child, modes of files; and neither does the output.
func TestSecretsStay(t *testing.T) {
	attack(t)
	old := syscall.Umask(0)
	s := prepare(t, console, "NUDGE_ADMIN_KEY=a-secret-of-the-admin-01")
	s.start()
	syscall.Umask(old)
	s.ready()
	s.track("victim", "Hello", `{}`)
	s.cell(60*time.Second, "1", "SELECT count() FROM nudge.events")
	secrets := map[string]string{
		"admin key": "a-secret-of-the-admin-01", "write key": s.keys.Write, "reader's password": s.keys.Reader,
	}
	children, err := exec.Command("pgrep", "-P", strconv.Itoa(s.process.Process.Pid)).Output()
	if err != nil {
		t.Fatal(err)
	}
	for i, pid := range append([]string{strconv.Itoa(s.process.Process.Pid)}, strings.Fields(string(children))...) {
		parts := []string{"cmdline"}
		if i > 0 {
			parts = append(parts, "environ")
		}
		for _, part := range parts {
			text, err := os.ReadFile(filepath.Join("/proc", pid, part))
			if err != nil {
				t.Fatal(err)
			}
			for name, secret := range secrets {
				if secret != "" && strings.Contains(string(text), secret) {
					t.Errorf("%s of %s has the %s", part, pid, name)
				}
			}
			if part == "environ" && strings.Contains(string(text), "NUDGE_") {
				t.Errorf("the child has the server's settings in its environment")
			}
		}
	}
	for name, secret := range secrets {
		if name != "write key" && secret != "" && strings.Contains(s.log.String(), secret) {
			t.Errorf("the output has the %s", name)
		}
	}
	for _, path := range []string{".", "state", "log", "clickhouse"} {
		info, err := os.Stat(filepath.Join(s.data, path))
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: mode %v, error %v", path, info.Mode(), err)
		}
	}
	if info, err := os.Stat(filepath.Join(s.data, "node.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("node.json: mode %v, error %v", info.Mode(), err)
	}
}

// Passwords in addresses are printed neither by the configuration nor by what goes wrong.
func TestPasswordsInAddresses(t *testing.T) {
	attack(t)
	const secret = "hunter2-hunter2"
	for _, setting := range []string{
		"NUDGE_CLICKHOUSE_URL=clickhouse://user:" + secret + "@127.0.0.1:1/db",
		"NUDGE_CLICKHOUSE_URL=http://127.0.0.1:1/?user=u&password=" + secret,
		"NUDGE_CLICKHOUSE_URL=http://user:" + secret + "@127.0.0.1:bad/",
		"NUDGE_NATS_URL=nats://user:" + secret + "@127.0.0.1:1",
		"NUDGE_NATS_URL=nats://" + secret + "@127.0.0.1:1",
		"NUDGE_NATS_URL=nats://user:" + secret + "@127.0.0.1:bad",
	} {
		s := prepare(t, "", setting)
		command := exec.Command(filepath.Join(programs, "nudged"), "config")
		command.Env = s.env
		if out, _ := command.CombinedOutput(); strings.Contains(string(out), secret) {
			t.Errorf("%s: the configuration prints it: %s", setting, out)
		}
		s.start()
		s.eventually(40*time.Second, "it says what is wrong", func() error {
			select {
			case <-s.ended:
				return nil
			default:
			}
			if strings.Contains(s.log.String(), "msg=ready") || strings.Contains(s.log.String(), "warehouse:") {
				return nil
			}
			return errNotYet
		})
		a := s.ask(http.MethodGet, s.admin, "/readyz", nil, "")
		s.kill()
		if text := s.log.String() + a.text; strings.Contains(text, secret) {
			t.Errorf("%s: the server prints it: %s", setting, fmt.Sprintf("%.600s", text))
		}
	}
}
