package view

import (
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/effect"
)

// maxRecent bounds the decisions that a shard remembers for people to look at, a few MiB.
// Older ones are in the warehouse.
const maxRecent = 8192

// Noted is a decision with what the channel said to it.
type Noted struct {
	output.Decision

	answer string // empty unless an attempt failed
}

// Recent is a ring of the last decisions of a shard. It is not part of the state: it
// begins empty at each start, and nothing is computed from it. The zero value is ready to
// use.
type Recent struct {
	ring []Noted // at most maxRecent; oldest at next once it is full
	next int     // index that is written next once the ring is full
}

// Note adds the decisions of a step, in the place of the oldest.
func (r *Recent) Note(out *effect.Effects) {
	for i := range out.Decisions {
		n := Noted{out.Decisions[i], answerOf(out, &out.Decisions[i])}
		if len(r.ring) < maxRecent {
			r.ring = append(r.ring, n)
			continue
		}
		r.ring[r.next] = n
		r.next = (r.next + 1) % maxRecent
	}
}

// answerOf returns what the channel said to the attempt that a decision is about, "" if
// the decision is not about a failed one.
func answerOf(out *effect.Effects, d *output.Decision) string {
	if d.Kind != output.Failed && d.Kind != output.Retried {
		return ""
	}
	for i := range out.Deliveries {
		v := &out.Deliveries[i]
		if v.Customer == d.Customer && v.Workspace == d.Workspace && v.Campaign == d.Campaign && v.Entry == d.Entry &&
			v.Step == d.Step && v.Channel == d.Detail && v.Detail != "" {
			return v.Detail
		}
	}
	return ""
}

// Of returns the decisions about a customer, newest first, at most 50. It looks through
// the whole ring, which is fine for a person's question.
func (r *Recent) Of(workspace, customer string) []Noted {
	var found []Noted
	for i := range r.ring {
		d := &r.ring[(r.next+len(r.ring)-1-i)%len(r.ring)]
		if d.Customer == customer && d.Workspace == workspace {
			if found = append(found, *d); len(found) == 50 {
				break
			}
		}
	}
	return found
}
