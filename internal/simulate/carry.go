package simulate

import (
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/stream"
)

// carry applies the transfers of customers who merged to their receivers, at the same
// instant, and returns what followed. The receivers make no further transfers: a known
// customer never merges into another.
func (s *Simulation) carry(transfers []event.Transfer) (outs []output.Output, err error) {
	for i := range transfers {
		t := &transfers[i]
		p := stream.PartitionOf(t.Workspace, t.Customer, len(s.shards))
		out, err := s.step(p, stream.Record{Kind: stream.KindTransfer, Data: t.AppendTo(nil)})
		if err != nil {
			return nil, err
		}
		outs = append(outs, out)
	}
	return outs, nil
}
