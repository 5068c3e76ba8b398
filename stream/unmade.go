package stream

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
)

// dropUnmade removes what a crash left of a stream that was being created: its directory
// without its description. The embedded server skips such a directory and then reports
// without end that the stream "could not be recovered"; a server that checks its log's
// health would stop again and again. Nothing was ever appended to it. A directory with
// messages is damaged instead (ErrDamaged). dropped reports that it was removed.
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
