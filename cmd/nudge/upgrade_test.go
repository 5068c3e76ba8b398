package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/storage"
)

// Data directories as earlier versions of the formats left them are kept in
// testdata/data as v<format>.tar.gz; each opens, goes on, and verifies from where this
// version took over. REWRITE=1 makes the present version's anew, which is right only
// together with a new format version.
func TestGoldenDataDirectories(t *testing.T) {
	const present = "testdata/data/v1.tar.gz"
	if os.Getenv("REWRITE") != "" {
		dir := t.TempDir()
		d := openDataDir(t, dir)
		d.send(t, 0, 20)
		d.stop()
		d.close(t)
		if err := pack(dir, present); err != nil {
			t.Fatal(err)
		}
	}
	archives, err := filepath.Glob("testdata/data/v*.tar.gz")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, archive := range archives {
		t.Run(filepath.Base(archive), func(t *testing.T) {
			dir := t.TempDir()
			if err := unpack(archive, dir); err != nil {
				t.Fatal(err)
			}
			d := openDataDir(t, dir)
			d.send(t, 20, 30)
			v, err := d.engine.View(t.Context(), "default", "c1")
			if err != nil || v == nil || len(v.Pending) != 5 {
				t.Errorf("unexpected customer %+v, error %v; want 5 deliveries", v, err)
			}
			d.stop()
			d.close(t)
			if code, out, errs := runTool(t, "verify", "--data", dir); code != 0 ||
				!strings.Contains(out, "partition 0: ok: frames ") || !strings.Contains(out, "7 customers") {
				t.Fatalf("exit %d: %s%s", code, out, errs)
			}
		})
	}
}

// A directory of a format that this program does not know is refused by name.
func TestForeignDataDirectoryIsRefused(t *testing.T) {
	dir := t.TempDir()
	d := openDataDir(t, dir)
	d.stop()
	b := new(storage.Batch)
	b.Set(storage.FormatKey(), []byte{99})
	if err := d.store.Commit(b); err != nil {
		t.Fatal(err)
	}
	d.close(t)
	if code, out, errs := runTool(t, "verify", "--data", dir); code == 0 ||
		!strings.Contains(out+errs, "has format [99]; this program reads format 1") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}

func pack(dir, archive string) (err error) {
	if err := os.MkdirAll(filepath.Dir(archive), 0o750); err != nil {
		return err
	}
	f, err := os.Create(archive)
	if err != nil {
		return err
	}
	z := gzip.NewWriter(f)
	w := tar.NewWriter(z)
	err = w.AddFS(os.DirFS(dir))
	return errors.Join(err, w.Close(), z.Close(), f.Close())
}

func unpack(archive, dir string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	r := tar.NewReader(z)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return errors.Join(z.Close(), f.Close())
		}
		if err != nil {
			return err
		}
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		if !filepath.IsLocal(h.Name) {
			return fmt.Errorf("%s leads outside", h.Name)
		}
		if h.FileInfo().IsDir() {
			err = os.MkdirAll(path, 0o750)
		} else {
			err = write(path, r)
		}
		if err != nil {
			return err
		}
	}
}

func write(path string, from io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Close())
}
