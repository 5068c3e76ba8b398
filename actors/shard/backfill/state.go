package backfill

import (
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/stream"
)

// State is how far a backfill is in one shard.
type State struct {
	K      uint64                  // number of its control record; 0: none is under way
	Asks   []active.CounterRequest // the counters that are filled
	Set    *active.Set             // the active set with these counters
	Place  control.RecordPosition  // of the control record in the partition's log; what comes before it is counted
	First  uint64                  // sequence of the first retained frame when it began; 0: not known yet
	N      uint64                  // number of the last backfill record applied
	Marked uint64                  // number of the last of them that was a mark
	Upto   uint64                  // all frames up to this one are counted
	Done   bool                    // all frames before Place are counted
}

// Begin returns the first record of a backfill, a mark that fixes from which frame the
// partition counts: first, the sequence of the first retained one. Once it is applied, a
// log that is trimmed further makes the backfill fail instead of counting less.
func (s State) Begin(workspace string, first uint64) []stream.Record {
	r := Record{Workspace: workspace, K: s.K, N: s.Marked + 1, First: first, Upto: first - 1}
	return []stream.Record{{Kind: stream.KindFill, Data: r.Encode()}}
}
