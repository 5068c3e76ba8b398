package warehouse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nudge-engine/nudge/stream"
)

// Position is up to where one partition's messages are in the warehouse: the sequence of
// a frame, and of an effect message.
type Position struct{ Event, Effect uint64 }

// Positions reads the positions of a log whose writer is not running, by partition; all
// are 0 if nothing was ever written.
func Positions(ctx context.Context, log stream.Log, partitions int) ([]Position, error) {
	all := make([]Position, partitions)
	s, err := log.Open(ctx, stream.WarehouseStream, stream.Options{MaxBytes: 64 << 20})
	if err != nil {
		return nil, err
	}
	m, err := s.Last(ctx, "")
	if errors.Is(err, stream.ErrNotFound) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	var st state
	if err := json.Unmarshal(m.Data, &st); err != nil || len(st.Done) != partitions {
		return nil, fmt.Errorf("warehouse: position of %d partitions where %d were expected: %w",
			len(st.Done), partitions, err)
	}
	for p, s := range st.Done {
		all[p] = Position{Event: s.EventsTo, Effect: s.EffectsTo}
	}
	return all, nil
}
