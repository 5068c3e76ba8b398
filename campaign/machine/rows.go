package machine

import (
	"cmp"
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/clip"
)

// The rows of a record, or of the timers of an instant, are written in the order of the
// contract: by timer, then by campaign and entry number. That is not the order in
// which sends are decided, so it is made afterwards.

// mark is a place in the output.
type mark struct{ deliveries, decisions, chains int }

func (m *Machine) mark() mark {
	return mark{len(m.out.Deliveries), len(m.out.Decisions), len(m.out.Chains)}
}

// cause is the timer that led to something: when it was due, and its place among those
// of the call. The zero value is a record.
type cause struct {
	due    int64
	number int
}

// segment is a part of the output that belongs to one cause and one chain.
type segment struct {
	cause    cause
	campaign string // empty for what the timer itself wrote
	entry    uint32
	from, to mark
}

// attribute records ch (nil: a timer) as the author of the output appended since from.
func (m *Machine) attribute(ch *customer.Chain, from mark) {
	to := m.mark()
	if from == to {
		return
	}
	s := segment{cause: m.cause, from: from, to: to}
	if ch != nil {
		s.campaign, s.entry = ch.Campaign, ch.Entry
	}
	m.segments = append(m.segments, s)
}

func (s segment) compare(other segment) int {
	return cmp.Or(
		cmp.Compare(s.cause.due, other.cause.due), cmp.Compare(s.cause.number, other.cause.number),
		strings.Compare(s.campaign, other.campaign), cmp.Compare(s.entry, other.entry),
	)
}

// order puts the noted segments, which are the end of the output, in their order.
func (m *Machine) order() {
	if slices.IsSortedFunc(m.segments, segment.compare) {
		return
	}
	first := m.segments[0].from
	slices.SortStableFunc(m.segments, segment.compare)
	reorder(m.out.Deliveries[first.deliveries:], first.deliveries, m.segments, func(p mark) int { return p.deliveries })
	reorder(m.out.Decisions[first.decisions:], first.decisions, m.segments, func(p mark) int { return p.decisions })
	reorder(m.out.Chains[first.chains:], first.chains, m.segments, func(p mark) int { return p.chains })
}

// reorder rearranges rows, which begin at first, as their segments lie.
func reorder[T any](rows []T, first int, segments []segment, at func(mark) int) {
	moved := make([]T, 0, len(rows))
	for i := range segments {
		moved = append(moved, rows[at(segments[i].from)-first:at(segments[i].to)-first]...)
	}
	copy(rows, moved)
}

// orderTriggers puts what the triggers of a record wrote in the order of the campaigns,
// which the settling of groups disturbs.
func (m *Machine) orderTriggers(since mark) {
	decisions, chains := m.out.Decisions[since.decisions:], m.out.Chains[since.chains:]
	slices.SortStableFunc(decisions, func(a, b output.Decision) int {
		return cmp.Or(strings.Compare(a.Campaign, b.Campaign), cmp.Compare(a.Entry, b.Entry))
	})
	slices.SortStableFunc(chains, func(a, b output.ChainRow) int {
		return cmp.Or(strings.Compare(a.Campaign, b.Campaign), cmp.Compare(a.Entry, b.Entry))
	})
}

// row is a chain's row, with the goal that the campaign is measured by first where it
// says which.
func (m *Machine) row(ch *customer.Chain) output.ChainRow {
	r := ch.Row(m.c)
	p := m.set.ProgramOf(ch)
	if p == nil {
		return r
	}
	for _, hit := range ch.Goals {
		if g := p.Goal(hit.ID); g != nil && g.Primary && !ch.Reversed(hit.ID) {
			r.Goal, r.Value, r.HasValue, r.Currency = hit.ID, hit.Value, hit.HasValue, hit.Currency
		}
	}
	return r
}

// decide completes a decision and writes it down.
func (m *Machine) decide(d output.Decision) {
	d.Workspace, d.Customer, d.EventID, d.At = m.c.Workspace, m.c.ID, m.eventID, m.now
	m.out.Decisions = append(m.out.Decisions, d)
	if m.trace != nil {
		m.trace.Decided(d)
	}
}

// decideChain is decide for a chain.
func (m *Machine) decideChain(ch *customer.Chain, kind output.Kind, reason output.Reason, step, detail string) {
	m.decide(output.Decision{
		Campaign: ch.Campaign, Version: ch.Version, Key: ch.Key, Entry: ch.Entry,
		Step: step, Kind: kind, Reason: reason, Detail: detail,
	})
}

// maxNoted bounds the faults of a customer's data that are remembered; beyond it the oldest
// is forgotten, and recorded again when it comes again.
const maxNoted = 32

// noteOnce records a fault in a customer's data that each record would show again: once a
// reason, campaign and detail.
func (m *Machine) noteOnce(reason output.Reason, campaign, detail string) {
	detail = clip.Text(detail, 100)
	id := string(reason) + "\x00" + campaign + "\x00" + detail
	if slices.Contains(m.c.Noted, id) {
		return
	}
	if len(m.c.Noted) >= maxNoted {
		m.c.Noted = slices.Delete(m.c.Noted, 0, 1)
	}
	m.c.Noted = append(m.c.Noted, id)
	m.decide(output.Decision{Campaign: campaign, Kind: output.Erred, Reason: reason, Detail: detail})
}

// evaluationFailed records that an expression of a campaign could not be evaluated.
func (m *Machine) evaluationFailed(campaign string, err error) {
	m.decide(
		output.Decision{
			Campaign: campaign,
			Kind:     output.Erred,
			Reason:   output.ReasonEvaluation,
			Detail:   clip.Text(err.Error(), 200),
		},
	)
}
