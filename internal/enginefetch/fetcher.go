package enginefetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/nudge-engine/nudge/deploy/clickhouse"
)

// CacheEnv names the environment variable that moves the cache.
const CacheEnv = "NUDGE_ENGINE_CACHE"

// libraryName is the library's name in the cache on every platform.
const libraryName = "libchdb.so"

// PackFunc puts the tarball of an npm package into dir and returns its path.
// It says on progress how far it is.
type PackFunc func(ctx context.Context, pkg clickhouse.Package, dir string, progress io.Writer) (tarball string,
	err error)

// Fetcher knows which engine is wanted and where it is kept.
type Fetcher struct {
	Package  clickhouse.Package
	Dir      string    // the cache of this version
	Progress io.Writer // where people look; io.Discard for silence
	Pack     PackFunc
}

// New is the fetcher for this machine: the embedded pin, the user's cache, and
// npm.
func New(progress io.Writer) (*Fetcher, error) {
	pkg, err := clickhouse.Here()
	if err != nil {
		return nil, err
	}
	root := os.Getenv(CacheEnv)
	if root == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("enginefetch: no place for the ClickHouse engine: %w (set %s to a directory)", err,
				CacheEnv)
		}
		root = filepath.Join(cache, "nudge", "engine")
	}
	return &Fetcher{Package: pkg, Dir: filepath.Join(root, pkg.Version), Progress: progress, Pack: NPMPack}, nil
}

// Target is where the library is, or will be.
func (f *Fetcher) Target() string { return filepath.Join(f.Dir, libraryName) }

// Present says whether the library is there. The size guards against a disk
// that lost data; F1 makes everything else impossible.
func (f *Fetcher) Present() (bool, error) {
	info, err := os.Stat(f.Target())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("enginefetch: cannot look at %q: %w", f.Target(), err)
	case info.Size() != f.Package.LibraryBytes:
		return false, nil
	}
	return true, nil
}

// Path returns the library's path and fetches it first when it is missing.
func (f *Fetcher) Path(ctx context.Context) (string, error) {
	if ok, err := f.Present(); ok || err != nil {
		return f.Target(), err
	}
	if err := os.MkdirAll(f.Dir, 0o755); err != nil {
		return "", fmt.Errorf("enginefetch: cannot make the cache %q: %w (set %s to another directory)", f.Dir, err,
			CacheEnv)
	}
	lock := flock.New(filepath.Join(f.Dir, "fetch.lock"))
	if ok, err := lock.TryLock(); err == nil && !ok {
		fmt.Fprintf(f.Progress, "another process is fetching the ClickHouse engine; waiting for it\n")
	}
	if ok, err := lock.TryLockContext(ctx, 200*time.Millisecond); err != nil || !ok {
		return "", fmt.Errorf("enginefetch: cannot lock the cache %q: %w", f.Dir, err)
	}
	defer func() { _ = lock.Unlock() }()
	// The process that held the lock may have fetched it.
	if ok, err := f.Present(); ok || err != nil {
		return f.Target(), err
	}
	if err := f.fetch(ctx); err != nil {
		return "", err
	}
	return f.Target(), nil
}

// fetch brings the library.
//
// REQUIRES: the cache is locked.
func (f *Fetcher) fetch(ctx context.Context) error {
	f.sweep()
	tmp, err := os.MkdirTemp(f.Dir, "fetch-")
	if err != nil {
		return fmt.Errorf("enginefetch: cannot write to the cache %q: %w", f.Dir, err)
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	fmt.Fprintf(f.Progress, "fetching the ClickHouse engine %s@%s (%d MB, once) into %s\n", f.Package.Name,
		f.Package.Version, (f.Package.PackedBytes+5e5)/1e6, f.Dir)
	tarball, err := f.Pack(ctx, f.Package, tmp, f.Progress)
	if err != nil {
		return err
	}
	if err := verify(tarball, f.Package.Integrity); err != nil {
		return err
	}
	fmt.Fprintf(f.Progress, "hash verified, unpacking %s\n", libraryName)
	unpacked := filepath.Join(tmp, libraryName)
	if err := unpack(ctx, tarball, f.Package.Library, unpacked); err != nil {
		return err
	}
	if err := os.Rename(unpacked, f.Target()); err != nil {
		return fmt.Errorf("enginefetch: cannot put the engine in place: %w", err)
	}
	return syncDir(f.Dir)
}

// sweep removes what a killed fetch left behind. Its errors do not matter: the
// remains take space and are never read.
func (f *Fetcher) sweep() {
	left, _ := filepath.Glob(filepath.Join(f.Dir, "fetch-*"))
	for _, dir := range left {
		_ = os.RemoveAll(dir)
	}
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("enginefetch: cannot sync the cache: %w", err)
	}
	defer func() { _ = d.Close() }()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("enginefetch: cannot sync the cache %q: %w", dir, err)
	}
	return nil
}
