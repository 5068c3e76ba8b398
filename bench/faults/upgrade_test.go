package faults_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/storage"
)

// golden is the log and the state of a server of semantics 1, without its rows, as a backup that
// left ClickHouse out.
const golden = "../../cmd/nudge/testdata/data/semantics1.tar.gz"

// onGolden prepares a server on a copy of it.
func onGolden(t *testing.T) *server {
	t.Helper()
	s := newServer(t, t.TempDir(), "NUDGE_PARTITIONS=1") // as the directory has
	if err := os.MkdirAll(s.data, 0o750); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("tar", "-xzf", golden, "-C", s.data).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	return s
}

// The server refuses data of semantics 1 whose rows are missing until the operator accepts the loss;
// then it knows its customers and goes on.
func TestOldData(t *testing.T) {
	l := begin(t, "data of version 1",
		"with another storage.Format the server refuses the directory.")
	s := onGolden(t)
	s.start()
	s.ends(1, "clickhouse/: the rows are missing or of another server")
	out, err := exec.Command(filepath.Join(binaries, "nudge"), "recover", "--data", s.data, "--yes").CombinedOutput()
	if err != nil {
		t.Fatalf("recover: %v\n%s", err, out)
	}
	s.start()
	s.ready()
	view, err := s.look("/v1/customers/dan")
	if err != nil || !strings.Contains(view, `"dan"`) {
		t.Errorf("the customer of the old data is not there: %s, error %v", view, err)
	}
	stop := s.load()
	s.acknowledged(time.Minute, 1000)
	stop(time.Minute)
	found := s.settle(time.Minute)
	// An event of the old data that comes again is known.
	if status := s.postRaw("old", `{"userId":"dan","event":"Visit","messageId":"v1"}`, false); status != http.StatusOK {
		t.Errorf("an old event again got %d", status)
	}
	s.stop()
	out, err = exec.Command(filepath.Join(binaries, "nudge"), "verify", "--data", s.data).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "partition 0: ok: frames ") {
		t.Errorf("verify: error %v\n%s", err, out)
	}
	l.set("log and state of semantics 1, without its rows",
		"refused until `nudge recover` accepted the loss; then ready, its customers known, new events taken: "+found.String()+"; verify ok from where this version took over")
}

// On data of a format that it does not know the server ends with a clear message and
// changes nothing.
func TestForeignData(t *testing.T) {
	l := begin(t, "data of an unknown version",
		"log, identity and ClickHouse's directory were written before the format was looked at.")
	s := onGolden(t)
	store, err := storage.OpenPebble(storage.PebbleConfig{Dir: filepath.Join(s.data, "state")})
	if err != nil {
		t.Fatal(err)
	}
	b := new(storage.Batch)
	b.Set(storage.FormatKey(), []byte{99})
	if err := errors.Join(store.Commit(b), store.Close()); err != nil {
		t.Fatal(err)
	}
	before := hashes(t, s.data)
	s.start()
	s.ends(1, "has format [99]; this program reads format 1")
	after := hashes(t, s.data)
	delete(after, "lock") // says who holds the directory; empty
	delete(before, "lock")
	if !maps.Equal(before, after) {
		for name, hash := range after {
			if before[name] != hash {
				t.Errorf("%s was made or changed", name)
			}
		}
		t.Errorf("%d files before, %d after", len(before), len(after))
	}
	l.set("the golden directory, its format number changed to 99", fmt.Sprintf(
		"ended with code 1, said which format it reads, and left all %d files as they were", len(before)))
}

// ends waits until the server ended by itself, and wants its exit code and what its log says.
func (s *server) ends(code int, says string) {
	s.t.Helper()
	s.eventually(time.Minute, "the server ends", func() error {
		if !s.over() {
			return errNotYet
		}
		return nil
	})
	got, text := s.process.ProcessState.ExitCode(), s.log.String()
	if got != code || !strings.Contains(text, says) {
		s.t.Fatalf("exit %d; want %d and %q in the log:\n%s", got, code, says, text)
	}
}

// hashes is what every file under a directory holds.
func hashes(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	if err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(dir, path))
		all[path] = fmt.Sprintf("%x", sha256.Sum256(text))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}
