package enginefetch

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nudge-engine/nudge/deploy/clickhouse"
)

const fakeLibrary = "not really a library"

// tarball builds a package of the shape that npm gives.
func tarball(t *testing.T, members map[string]string) []byte {
	t.Helper()
	var buf bytes.Buffer
	gz := gzip.NewWriter(&buf)
	w := tar.NewWriter(gz)
	for name, content := range members {
		err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg})
		if err == nil {
			_, err = io.WriteString(w, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), gz.Close()); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// fetcher is one whose packer gives content, and counts its calls.
func fetcher(t *testing.T, content []byte) (*Fetcher, *atomic.Int32) {
	t.Helper()
	sum := sha512.Sum512(content)
	calls := &atomic.Int32{}
	return &Fetcher{
		Package: clickhouse.Package{
			Name: "@chdb/fake", Version: "1", Library: "package/libchdb.so",
			Integrity:    "sha512-" + base64.StdEncoding.EncodeToString(sum[:]),
			LibraryBytes: int64(len(fakeLibrary)),
		},
		Dir:      filepath.Join(t.TempDir(), "engine", "1"),
		Progress: io.Discard,
		Pack: func(_ context.Context, _ clickhouse.Package, dir string, _ io.Writer) (string, error) {
			calls.Add(1)
			path := filepath.Join(dir, "fake.tgz")
			return path, os.WriteFile(path, content, 0o600)
		},
	}, calls
}

func good(t *testing.T) []byte {
	t.Helper()
	return tarball(t, map[string]string{"package/index.js": "x", "package/libchdb.so": fakeLibrary})
}

// nothingKept fails when the cache holds anything but the lock file.
func nothingKept(t *testing.T, f *Fetcher) {
	t.Helper()
	entries, err := os.ReadDir(f.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "fetch.lock" {
			t.Errorf("unexpected %s left in the cache", e.Name())
		}
	}
	if ok, err := f.Present(); ok || err != nil {
		t.Errorf("unexpected Present: %v, %v; want false", ok, err)
	}
}

func TestFetchOnce(t *testing.T) {
	f, calls := fetcher(t, good(t))
	for range 2 {
		path, err := f.Path(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != fakeLibrary {
			t.Fatalf("unexpected library %q, %v; want %q", got, err, fakeLibrary)
		}
	}
	if n := calls.Load(); n != 1 {
		t.Fatalf("unexpected number of downloads: %d; want 1", n)
	}
	entries, _ := os.ReadDir(f.Dir)
	if len(entries) != 2 { // the library and the lock
		t.Fatalf("unexpected remains in the cache: %v", entries)
	}
}

func TestSecondCallIsSilent(t *testing.T) {
	f, _ := fetcher(t, good(t))
	if _, err := f.Path(t.Context()); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	f.Progress = &said
	f.Pack = nil // any use of the network would panic
	if _, err := f.Path(t.Context()); err != nil || said.Len() > 0 {
		t.Fatalf("unexpected second call: %v, it said %q", err, said.String())
	}
}

func TestWrongHashIsRefused(t *testing.T) {
	f, _ := fetcher(t, good(t))
	f.Package.Integrity = "sha512-" + base64.StdEncoding.EncodeToString(make([]byte, sha512.Size))
	_, err := f.Path(t.Context())
	var hash *HashError
	if !errors.As(err, &hash) || !strings.Contains(err.Error(), "npm config get registry") {
		t.Fatalf("unexpected error: %v; want a HashError that says what to do", err)
	}
	nothingKept(t, f)
}

func TestNothingHalfWrittenIsKept(t *testing.T) {
	whole := good(t)
	// A tarball that ends in the middle: the hash fits, the content does not.
	f, _ := fetcher(t, whole[:len(whole)/2])
	if _, err := f.Path(t.Context()); err == nil {
		t.Fatal("unexpected success with half a tarball")
	}
	nothingKept(t, f)

	f, _ = fetcher(t, tarball(t, map[string]string{"package/other.so": fakeLibrary}))
	if _, err := f.Path(t.Context()); err == nil || !strings.Contains(err.Error(), "engine.json") {
		t.Fatalf("unexpected error without the member: %v", err)
	}
	nothingKept(t, f)
}

func TestTruncatedLibraryIsFetchedAgain(t *testing.T) {
	f, calls := fetcher(t, good(t))
	if err := os.MkdirAll(filepath.Join(f.Dir, "fetch-killed"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.Target(), []byte("not"), 0o600); err != nil {
		t.Fatal(err)
	}
	path, err := f.Path(t.Context())
	if err != nil || calls.Load() != 1 {
		t.Fatalf("unexpected answer: %v after %d downloads", err, calls.Load())
	}
	if got, _ := os.ReadFile(path); string(got) != fakeLibrary {
		t.Fatalf("unexpected library %q", got)
	}
	if _, err := os.Stat(filepath.Join(f.Dir, "fetch-killed")); !os.IsNotExist(err) {
		t.Fatalf("unexpected remains of a killed fetch: %v", err)
	}
}

func TestTwoFetchesAtOnceDownloadOnce(t *testing.T) {
	f, calls := fetcher(t, good(t))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := f.Path(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := calls.Load(); n != 1 {
		t.Fatalf("unexpected number of downloads: %d; want 1", n)
	}
}

func TestNoNPMSaysWhatToDo(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := NPMPack(t.Context(), clickhouse.Package{Name: "@chdb/x", Version: "1"}, t.TempDir(), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "install Node.js") {
		t.Fatalf("unexpected error: %v", err)
	}
}

// TestNPMFailureIsTold runs a real child that fails as npm does without a
// network.
func TestNPMFailureIsTold(t *testing.T) {
	bin := t.TempDir()
	script := "#!/bin/sh\necho 'npm error code ENOTFOUND' >&2\nexit 1\n"
	if err := os.WriteFile(filepath.Join(bin, "npm"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	_, err := NPMPack(t.Context(), clickhouse.Package{Name: "@chdb/x", Version: "1"}, t.TempDir(), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "ENOTFOUND") || !strings.Contains(err.Error(),
		"check the network") {
		t.Fatalf("unexpected error: %v", err)
	}
}
