package ingest

import (
	"fmt"

	"github.com/nudge-engine/nudge/campaign"
)

// Recorded reads recorded calls, one JSON object each, for simulation. It checks
// them as the server does, but the timestamp is the call's time as it stands.
// It belongs to one goroutine.
type Recorded struct{ d decoder }

// NewRecorded reads calls of a workspace.
func NewRecorded(workspace string) *Recorded {
	return &Recorded{d: decoder{workspace: workspace, recorded: true}}
}

// Read reads a call; id is its message id when it has none. The event's JSON is
// valid until the next Read.
func (r *Recorded) Read(line []byte, id string) (campaign.Event, error) {
	root, p := r.d.parse(line)
	if p != nil {
		return campaign.Event{}, fmt.Errorf("%s", p.Detail)
	}
	r.d.arena = r.d.arena[:0]
	i := item{d: &r.d, v: root, fallback: id}
	e, wrong := i.event()
	if wrong != nil {
		return campaign.Event{}, fmt.Errorf("%s: %s", wrong.Path, wrong.Message)
	}
	return e, nil
}
