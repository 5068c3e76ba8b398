package backfill

import (
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/stream"
)

// State is how a backfill stands in one shard.
type State struct {
	K      uint64 // its control record; 0: none is under way
	Asks   []active.CounterRequest
	Set    *active.Set            // that keeps what is filled
	Place  control.RecordPosition // what lies before it is filled
	First  uint64                 // frame with which the retained log began; 0: not known yet
	N      uint64                 // fill records that were applied
	Marked uint64                 // number of the last mark
	Upto   uint64                 // frame through which all is in
	Done   bool
}

// Begin is the record that says with which frame the retained log began.
func (s State) Begin(workspace string, first uint64) []stream.Record {
	r := Record{Workspace: workspace, K: s.K, N: s.Marked + 1, First: first, Upto: first - 1}
	return []stream.Record{{Kind: stream.KindFill, Data: r.Encode()}}
}
