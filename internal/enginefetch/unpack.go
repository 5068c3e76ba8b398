package enginefetch

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// unpack writes one member of the tarball to target and syncs it. Nothing else of the
// tarball is written, so that no path in it matters.
func unpack(ctx context.Context, tarball, member, target string) error {
	file, err := os.Open(tarball)
	if err != nil {
		return fmt.Errorf("enginefetch: cannot open the tarball: %w", err)
	}
	defer func() { _ = file.Close() }()
	gz, err := gzip.NewReader(file)
	if err != nil {
		return fmt.Errorf("enginefetch: %q is not a gzip file: %w", tarball, err)
	}
	for entries := tar.NewReader(gz); ; {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("enginefetch: %q has no %s: deploy/clickhouse/engine.json names the wrong member",
				tarball, member)
		}
		if err != nil {
			return fmt.Errorf("enginefetch: cannot read %q: %w", tarball, err)
		}
		if entry.Name == member && entry.Typeflag == tar.TypeReg {
			return writeSynced(ctx, target, entries)
		}
	}
}

// writeSynced writes what from gives to a new file and makes it durable.
func writeSynced(ctx context.Context, target string, from io.Reader) (err error) {
	out, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return fmt.Errorf("enginefetch: cannot write the engine: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := io.Copy(out, untilDone(ctx, from)); err != nil {
		return fmt.Errorf("enginefetch: cannot write the engine to %q: %w (it needs 1 GB of free space while it "+
			"unpacks)", target, err)
	}
	if err := out.Sync(); err != nil {
		return fmt.Errorf("enginefetch: cannot sync %q: %w", target, err)
	}
	return nil
}

// readerFunc is a function that is an io.Reader.
type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// untilDone returns from with an error once ctx has ended, which ends a long copy.
func untilDone(ctx context.Context, from io.Reader) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return from.Read(p)
	})
}
