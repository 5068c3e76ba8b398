package stream

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
)

// dropUnmade removes what a crash left of a stream that was being created: its directory without
// its description. The embedded server skips it and then reports forever that it "could
// not be recovered", which ends the server again and again until somebody makes the stream.
// Nothing was ever appended to it. One that has messages is damaged instead.
func dropUnmade(name, at string, log *slog.Logger) (dropped bool, err error) {
	made := true
	for _, file := range []string{"meta.inf", "meta.sum"} {
		if _, err := os.Stat(filepath.Join(at, file)); errors.Is(err, os.ErrNotExist) {
			made = false
		} else if err != nil {
			return false, err
		}
	}
	if made {
		return false, nil
	}
	found, err := filepath.Glob(filepath.Join(at, "msgs", "*.blk"))
	if err != nil {
		return false, err
	}
	for _, block := range found {
		stat, err := os.Stat(block)
		if err != nil {
			return false, err
		}
		if stat.Size() > 0 {
			return false, fmt.Errorf("%w: %s has messages and has lost its description: "+
				"put a copy of %s from a backup in its place", ErrDamaged, name, at)
		}
	}
	log.Warn("stream: removing what a crash left of a stream that was being made", slog.String("stream", name))
	return true, os.RemoveAll(at)
}
