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

// CacheEnv is the environment variable that names the directory of the cache, in place of
// the user's cache directory.
const CacheEnv = "NUDGE_ENGINE_CACHE"

// libraryName is the file name of the library in the cache, on every platform.
const libraryName = "libchdb.so"

// PackFunc downloads the tarball of an npm package into dir and returns its path. It
// reports on progress how far it is. Tests replace it.
type PackFunc func(ctx context.Context, pkg clickhouse.Package, dir string, progress io.Writer) (tarball string,
	err error)

// Fetcher brings one version of the engine into one cache. Several processes may use a
// cache at once.
type Fetcher struct {
	// Package is the pinned engine: its name, version, hash and sizes.
	Package clickhouse.Package
	// Dir is the directory of this version in the cache.
	Dir string
	// Progress is where a person may look; io.Discard for silence.
	Progress io.Writer
	// Pack downloads the package; New sets NPMPack.
	Pack PackFunc
}

// New returns the fetcher for this machine: with the pin that is compiled in, the user's
// cache or the one that CacheEnv names, and npm. It fails where there is no engine for this
// platform.
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

// Target returns the path at which the library is, or will be.
func (f *Fetcher) Target() string { return filepath.Join(f.Dir, libraryName) }

// Present reports whether the library is there. It compares the size too, because a disk
// can lose data after a crash; F1 excludes everything else.
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

// Path returns the path of the library, and fetches it first where it is missing. Another
// process that is fetching it is waited for.
func (f *Fetcher) Path(ctx context.Context) (string, error) {
	if ok, err := f.Present(); ok || err != nil {
		return f.Target(), err
	}
	if err := os.MkdirAll(f.Dir, 0o755); err != nil {
		return "", fmt.Errorf("enginefetch: cannot make the cache %q: %w (set %s to another directory)", f.Dir, err,
			CacheEnv)
	}
	// The first try tells whether to say that another process is at work.
	lock := flock.New(filepath.Join(f.Dir, "fetch.lock"))
	if ok, err := lock.TryLock(); err == nil && !ok {
		fmt.Fprintf(f.Progress, "another process is fetching the ClickHouse engine; waiting for it\n")
	}
	// Waiting for another download takes minutes; five looks a second are enough.
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

// fetch downloads, verifies and unpacks the library. The cache must be locked.
//
// Everything happens in a temporary directory, and the last step is a rename, so that a
// crash at any point leaves either no library or a whole one.
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

// sweep removes what a killed fetch left behind. Errors do not matter: the remains take
// space and are never read.
func (f *Fetcher) sweep() {
	left, _ := filepath.Glob(filepath.Join(f.Dir, "fetch-*"))
	for _, dir := range left {
		_ = os.RemoveAll(dir)
	}
}

// syncDir makes the rename durable.
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
