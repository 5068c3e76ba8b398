package stream

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
)

// A crash while a stream is made leaves a directory that must not keep the log from being
// healthy.
func TestHalfMadeStream(t *testing.T) {
	dir := t.TempDir()
	open := func() (*JetStream, error) {
		return OpenEmbedded(EmbeddedConfig{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	}
	log, err := open()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"SEND_a", "SEND_b"} {
		s, err := log.Open(t.Context(), name, Options{MaxBytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := AppendWait(t.Context(), s, Append{Data: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(dir, "*", "*", "streams", "SEND_a"))
	if err != nil || len(found) != 1 {
		t.Fatalf("the stream is at %q, error %v", found, err)
	}
	half := filepath.Join(filepath.Dir(found[0]), "SEND_half")
	if err := os.MkdirAll(filepath.Join(half, "msgs"), 0o700); err != nil {
		t.Fatal(err)
	}
	if log, err = open(); err != nil {
		t.Fatal(err)
	}
	if err := log.Healthy(t.Context()); err != nil {
		t.Errorf("the log is not healthy: %v", err)
	}
	if _, err := log.Open(t.Context(), "SEND_half", Options{MaxBytes: 1 << 20}); err != nil {
		t.Errorf("the stream cannot be made now: %v", err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(found[0], "meta.inf")); err != nil {
		t.Fatal(err)
	}
	if log, err = open(); !errors.Is(err, ErrDamaged) {
		t.Errorf("a stream with messages and without a description: %v; want that it is damaged", err)
		if err == nil {
			_ = log.Close()
		}
	}
}
