package view

import (
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/effect"
)

// maxRecent bounds the decisions that a shard remembers for people to look at.
const maxRecent = 8192

// Noted is a decision with what the channel said.
type Noted struct {
	output.Decision

	answer string
}

// Recent is the last decisions of a shard. It is no part of the state.
type Recent struct {
	ring []Noted
	next int
}

// Note remembers the decisions of a step; the oldest are forgotten.
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

// answerOf is what the channel said to an attempt that a decision is about.
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

// Of is a customer's decisions, newest first, at most 50.
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
