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

// Pebble is a store on disk.
type Pebble struct {
	db  *pebble.DB
	dir string
}

// PebbleConfig is how a Pebble store is opened.
type PebbleConfig struct {
	Dir      string
	ReadOnly bool   // for looking at a store or a checkpoint; creates nothing
	FS       vfs.FS // nil: the operating system's
	Logger   *slog.Logger
	// Fatal is called when the store cannot go on (a failed commit, a damaged
	// manifest) and must not return. Nil: the process exits with status 1.
	Fatal func(message string)
}

const checkpointDir = "checkpoints"

// OpenPebble opens or creates a store.
func OpenPebble(c PebbleConfig) (*Pebble, error) {
	options := &pebble.Options{
		FS:                 c.FS,
		ReadOnly:           c.ReadOnly,
		ErrorIfNotExists:   c.ReadOnly,
		FormatMajorVersion: pebble.FormatValueSeparation,
		MemTableSize:       16 << 20,
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

// CheckDir says whether the store in a directory, if there is one, has the format of
// this program. It changes nothing.
func CheckDir(dir string, log *slog.Logger) error {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	p, err := OpenPebble(PebbleConfig{Dir: dir, ReadOnly: true, Logger: log})
	if errors.Is(err, pebble.ErrDBDoesNotExist) {
		return nil // made and not yet filled
	}
	if err != nil {
		return err
	}
	return p.Close()
}

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

// Commit implements Store.
func (p *Pebble) Commit(b *Batch) error {
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

// Get implements Store.
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

// successor is the first key behind those with the prefix; nil when there is none.
func successor(prefix []byte) []byte {
	end := slices.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}

// Checkpoint implements Store: hard links beside the data, sorted by name.
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

// Checkpoints lists the names of a store's checkpoints, oldest first.
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

// CheckpointPath is where a checkpoint lies.
func CheckpointPath(dir, name string) string { return filepath.Join(dir, checkpointDir, name) }

// Close implements Store.
func (p *Pebble) Close() error {
	if err := p.db.Close(); err != nil {
		return fmt.Errorf("storage: close: %w", err)
	}
	return nil
}
