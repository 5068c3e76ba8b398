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

// scanBytes is how much of a stream's newest blocks is checked at each start. Older
// messages were applied, saved and passed on long ago, and to read everything would delay
// each start.
const scanBytes = 256 << 20

// ErrDamaged reports that a stream without which nothing can run is damaged on disk.
var ErrDamaged = errors.New("stream: damaged on disk")

// mendLog looks for damage in the files of the log and mends it, before the server opens
// them: the server would cut a stream off at the damage, with everything after it,
// without a word.
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

// mendStream mends one stream by what it is for: control records and the warehouse's
// position cannot be made up for and stop the start; a lost frame is replaced by a record
// that says so; effects are cut off, because they are computed again; of a channel's
// stream the damaged part is left out.
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
		// The shard computes effects again from the events. A reader that had read
		// further notices that the stream ends before its position.
		return blocks.Cut(at, keep, found[0])
	}
	return blocks.Mend(at, keep, found, nil)
}

// lostFrame returns a frame that takes the place of one that was lost. It carries no
// time, so log time stands still at it, and its shard halts until a person accepts the
// loss.
func lostFrame() []byte {
	var b Builder
	b.Add(KindLost, nil)
	return b.Seal(0)
}
