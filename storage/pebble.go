package storage

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Pebble is a store on disk, in a Pebble database.
type Pebble struct {
	db  *pebble.DB
	dir string
}

// PebbleConfig describes how a Pebble store is opened.
type PebbleConfig struct {
	Dir      string       // of the database; one process at a time
	ReadOnly bool         // for looking at a store or a checkpoint; creates nothing
	FS       vfs.FS       // nil: the operating system's
	Logger   *slog.Logger // nil: nothing is logged
	// Fatal is called when the store cannot go on (a failed commit, a damaged manifest)
	// and must not return. nil exits the process with status 1.
	Fatal func(message string)
}

// checkpointDir is the folder of the checkpoints in the folder of the database.
const checkpointDir = "checkpoints"

// OpenPebble opens a store, and creates it if it is missing and not ReadOnly. The error
// is ErrFormat if another version wrote it.
func OpenPebble(c PebbleConfig) (*Pebble, error) {
	options := &pebble.Options{
		FS:                 c.FS,
		ReadOnly:           c.ReadOnly,
		ErrorIfNotExists:   c.ReadOnly,
		FormatMajorVersion: pebble.FormatValueSeparation,
		MemTableSize:       16 << 20, // a snapshot has up to 32 MiB
		MaxOpenFiles:       256,
		Logger:             pebbleLog(c),
	}
	options.EnsureDefaults()
	db, err := pebble.Open(c.Dir, options)
	if err != nil {
		return nil, fmt.Errorf("storage: open %s: %w", c.Dir, err)
	}
	p := &Pebble{db: db, dir: c.Dir}
	if err := p.checkFormat(c.ReadOnly); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return p, nil
}

// CheckDir returns an error if the store in a directory, if there is one, has another
// format than that of this program. It changes nothing, so a server calls it before it
// changes anything else.
func CheckDir(dir string, log *slog.Logger) error {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	p, err := OpenPebble(PebbleConfig{Dir: dir, ReadOnly: true, Logger: log})
	if errors.Is(err, pebble.ErrDBDoesNotExist) {
		// The directory was made and the store is not there yet.
		return nil
	}
	if err != nil {
		return err
	}
	return p.Close()
}

// checkFormat writes the format into a new store and checks that of an old one.
func (p *Pebble) checkFormat(readOnly bool) error {
	v, err := p.Get(FormatKey())
	if err != nil {
		return err
	}
	if v == nil && !readOnly {
		b := new(Batch)
		b.Set(FormatKey(), []byte{Format})
		return p.Commit(b)
	}
	if len(v) != 1 || v[0] != Format {
		return fmt.Errorf("%w: %s has format %v; this program reads format %d", ErrFormat, p.dir, v, Format)
	}
	return nil
}

// Commit implements Store. It returns after a sync of Pebble's log.
func (p *Pebble) Commit(b *Batch) error {
	// Room for each change's lengths and the head of the batch, so that it need not grow.
	batch := p.db.NewBatchWithSize(b.bytes + 16*len(b.changes) + 64)
	defer batch.Close()
	for _, c := range b.changes {
		var err error
		if c.value == nil {
			err = batch.Delete(c.key, nil)
		} else {
			err = batch.Set(c.key, c.value, nil)
		}
		if err != nil {
			return fmt.Errorf("storage: batch: %w", err)
		}
	}
	if err := batch.Commit(pebble.Sync); err != nil {
		return fmt.Errorf("storage: commit: %w", err)
	}
	return nil
}

// Get implements Store. An empty value is returned as an empty slice, not nil.
func (p *Pebble) Get(key []byte) ([]byte, error) {
	v, closer, err := p.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("storage: get: %w", err)
	}
	defer closer.Close()
	return append([]byte{}, v...), nil
}

// Scan implements Store.
func (p *Pebble) Scan(prefix []byte, f func(key, value []byte) error) error {
	return p.ScanAfter(prefix, nil, f)
}

// ScanAfter implements Store.
func (p *Pebble) ScanAfter(prefix, after []byte, f func(key, value []byte) error) (err error) {
	lower := prefix
	if after != nil {
		// No key lies between after and after with a zero byte added.
		if next := append(slices.Clone(after), 0); bytes.Compare(next, prefix) > 0 {
			lower = next
		}
	}
	it, err := p.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: successor(prefix)})
	if err != nil {
		return fmt.Errorf("storage: scan: %w", err)
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for valid := it.First(); valid; valid = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return fmt.Errorf("storage: scan: %w", err)
		}
		if err := f(it.Key(), v); err != nil {
			return err
		}
	}
	return it.Error()
}

// successor returns the first key after all those with the prefix, nil if there is none.
func successor(prefix []byte) []byte {
	end := slices.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}

// Checkpoint implements Store with hard links to the files of the database, which cost no
// space until the database drops them.
func (p *Pebble) Checkpoint(name string, keep int) error {
	root := filepath.Join(p.dir, checkpointDir)
	if err := os.MkdirAll(root, 0o750); err != nil {
		return fmt.Errorf("storage: checkpoint: %w", err)
	}
	if err := p.db.Checkpoint(filepath.Join(root, name), pebble.WithFlushedWAL()); err != nil {
		return fmt.Errorf("storage: checkpoint %s: %w", name, err)
	}
	names, err := Checkpoints(p.dir)
	if err != nil {
		return err
	}
	for len(names) > keep {
		if err := os.RemoveAll(filepath.Join(root, names[0])); err != nil {
			return fmt.Errorf("storage: remove checkpoint %s: %w", names[0], err)
		}
		names = names[1:]
	}
	return nil
}

// Checkpoints returns the names of a store's checkpoints, oldest first.
func Checkpoints(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(dir, checkpointDir))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("storage: checkpoints: %w", err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return names, nil
}

// CheckpointPath returns the folder of a checkpoint, which can be opened ReadOnly.
func CheckpointPath(dir, name string) string { return filepath.Join(dir, checkpointDir, name) }

// Close implements Store.
func (p *Pebble) Close() error {
	if err := p.db.Close(); err != nil {
		return fmt.Errorf("storage: close: %w", err)
	}
	return nil
}
