package stream

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/stream/blocks"
)

// scanBytes is how much of a stream's newest blocks is checked at each start. What
// is older was applied, saved and handed on long ago.
const scanBytes = 256 << 20

// ErrDamaged means that a stream without which nothing can run is damaged on disk.
var ErrDamaged = errors.New("stream: damaged on disk")

// mendLog looks for damage before the server opens the log and would cut it off
// there, without a word and with everything after it.
func mendLog(dir string, log *slog.Logger) error {
	streams, err := blocks.Streams(dir)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(streams)) {
		if dropped, err := dropUnmade(name, streams[name], log); err != nil || dropped {
			if err != nil {
				return err
			}
			continue
		}
		found, err := blocks.Scan(name, streams[name], scanBytes)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			continue
		}
		if err := mendStream(dir, name, streams[name], found, log); err != nil {
			return err
		}
	}
	return nil
}

func mendStream(dir, name, at string, found []blocks.Damage, log *slog.Logger) error {
	keep := filepath.Join(dir, "damaged")
	for _, d := range found {
		log.Error("stream: the disk damaged the log", slog.String("what", d.String()), slog.String("copy", keep))
	}
	switch {
	case name == ControlStream || name == WarehouseStream:
		return fmt.Errorf("%w: %s: put a copy of %s from a backup in its place", ErrDamaged, found[0], at)
	case strings.HasPrefix(name, "EV_"):
		return blocks.Mend(at, keep, found, lostFrame)
	case strings.HasPrefix(name, "FX_"):
		// Effects are computed again from the events, or missed by who had read them.
		return blocks.Cut(at, keep, found[0])
	}
	return blocks.Mend(at, keep, found, nil)
}

// lostFrame stands in the place of a frame of which nothing is left. It has no time,
// so log time stands still at it.
func lostFrame() []byte {
	var b Builder
	b.Add(KindLost, nil)
	return b.Seal(0)
}
