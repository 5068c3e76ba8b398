package blocks

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// maxLost bounds the messages that are written in the place of one damage. More than that
// is a destroyed file, which needs a backup.
const maxLost = 100_000

// ErrTooMany reports a damage that took more messages than are replaced one by one.
var ErrTooMany = errors.New("blocks: too many messages are lost")

// Mend writes the damaged blocks of a stream anew. In the place of each lost message it
// puts what lost returns; with lost nil it leaves them out. Files as they were are copied
// into keep first. A crash in between leaves each file old or new, and the next start
// goes on. The server must not run.
func Mend(dir, keep string, found []Damage, lost func() []byte) error {
	if err := os.MkdirAll(keep, 0o750); err != nil {
		return fmt.Errorf("blocks: %w", err)
	}
	// From the end, so that offsets stay right while a file changes.
	for _, d := range slices.Backward(found) {
		if err := mendOne(d, keep, lost); err != nil {
			return err
		}
	}
	return dropIndex(dir)
}

// Cut ends a stream before a damage: it shortens that block and removes the ones after
// it. Files as they were are copied into keep first. The server must not run.
func Cut(dir, keep string, d Damage) error {
	files, err := newest(dir, math.MaxInt64)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(keep, 0o750); err != nil {
		return fmt.Errorf("blocks: %w", err)
	}
	// From the end, so that a crash in between leaves a stream without a hole.
	for _, f := range slices.Backward(files) {
		if f.block < d.block {
			break
		}
		text, err := keepCopy(keep, d.Stream, f.path)
		if err == nil && f.block > d.block {
			err = os.Remove(f.path)
		} else if err == nil {
			err = write(f.path, text[:d.Offset])
		}
		if err != nil {
			return err
		}
	}
	return dropIndex(dir)
}

// keepCopy copies a file into keep, under a name that is not used yet, and returns its
// content.
func keepCopy(keep, stream, path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("blocks: %w", err)
	}
	name := fmt.Sprintf("%s-%s-%d", stream, filepath.Base(path), time.Now().UnixMilli())
	return text, write(filepath.Join(keep, name), text)
}

// dropIndex removes the server's index of the blocks, which no longer fits them. The
// server makes it anew.
func dropIndex(dir string) error {
	index := filepath.Join(dir, "msgs", "index.db")
	if err := os.Remove(index); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("blocks: %w", err)
	}
	return syncDir(filepath.Dir(index))
}

// mendOne mends one damage in its file.
func mendOne(d Damage, keep string, lost func() []byte) error {
	text, err := keepCopy(keep, d.Stream, d.File)
	if err != nil {
		return err
	}
	if d.length {
		// The top bit, which says that there are headers, is not part of the length.
		top := text[d.Offset+3] & 0x80
		binary.LittleEndian.PutUint32(text[d.Offset:], uint32(d.Length))
		text[d.Offset+3] |= top
		return write(d.File, text)
	}
	if d.Last-d.First >= maxLost && d.Last >= d.First {
		return fmt.Errorf("%w: %s", ErrTooMany, d)
	}
	fresh := slices.Clone(text[:d.Offset])
	hash := newHasher(d.Stream, d.block)
	for n := d.First; n <= d.Last && lost != nil; n++ {
		fresh = hash.appendRecord(fresh, n, d.Time, d.Subject, lost())
	}
	return write(d.File, append(fresh, text[d.Offset+d.Length:]...))
}

// write replaces a file in one step: after a crash it is the old or the new one.
func write(path string, text []byte) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("blocks: %w", err)
		}
	}()
	f, err := os.CreateTemp(filepath.Dir(path), ".mended-*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes changes of the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("blocks: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}
