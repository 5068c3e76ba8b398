package machine

import (
	"cmp"
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/clip"
)

// rows writes what a turn decides, and puts it in the order of the contract: by timer, then by
// campaign and entry number. That is not the order in which sends are decided, so the rows are
// ordered afterwards, by who wrote them.
type rows struct {
	*turn

	to *output.Output
	// segments say who wrote the end of the output.
	segments []segment
}

func (rs *rows) begin(to *output.Output) { rs.to, rs.segments = to, rs.segments[:0] }

// delivery writes a state of a delivery.
func (rs *rows) delivery(d output.Delivery) { rs.to.Deliveries = append(rs.to.Deliveries, d) }

// goal writes that a goal was reached, or that this was taken back.
func (rs *rows) goal(row output.GoalRow) { rs.to.Goals = append(rs.to.Goals, row) }

// exposure writes a change of the counts of an experiment.
func (rs *rows) exposure(x output.Exposure) { rs.to.Exposures = append(rs.to.Exposures, x) }

// chain writes a chain's row as it is now.
func (rs *rows) chain(ch *customer.Chain) { rs.chainRow(rs.row(ch)) }

func (rs *rows) chainRow(row output.ChainRow) { rs.to.Chains = append(rs.to.Chains, row) }

// mark is a place in the output.
type mark struct{ deliveries, decisions, chains int }

func (rs *rows) mark() mark {
	return mark{len(rs.to.Deliveries), len(rs.to.Decisions), len(rs.to.Chains)}
}

// cause is the timer that led to something: its number among those that fired in the call, in
// the order in which they fired. The zero value is a record.
type cause struct {
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
func (rs *rows) attribute(ch *customer.Chain, from mark) {
	to := rs.mark()
	if from == to {
		return
	}
	s := segment{cause: rs.cause, from: from, to: to}
	if ch != nil {
		s.campaign, s.entry = ch.Campaign, ch.Entry
	}
	rs.segments = append(rs.segments, s)
}

func (s segment) compare(other segment) int {
	return cmp.Or(
		cmp.Compare(s.cause.number, other.cause.number),
		strings.Compare(s.campaign, other.campaign), cmp.Compare(s.entry, other.entry),
	)
}

// order puts the noted segments, which are the end of the output, in their order.
func (rs *rows) order() {
	if slices.IsSortedFunc(rs.segments, segment.compare) {
		return
	}
	first := rs.segments[0].from
	slices.SortStableFunc(rs.segments, segment.compare)
	to := rs.to
	reorder(to.Deliveries[first.deliveries:], first.deliveries, rs.segments, func(p mark) int { return p.deliveries })
	reorder(to.Decisions[first.decisions:], first.decisions, rs.segments, func(p mark) int { return p.decisions })
	reorder(to.Chains[first.chains:], first.chains, rs.segments, func(p mark) int { return p.chains })
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
func (rs *rows) orderTriggers(since mark) {
	decisions, chains := rs.to.Decisions[since.decisions:], rs.to.Chains[since.chains:]
	slices.SortStableFunc(decisions, func(a, b output.Decision) int {
		return cmp.Or(strings.Compare(a.Campaign, b.Campaign), cmp.Compare(a.Entry, b.Entry))
	})
	slices.SortStableFunc(chains, func(a, b output.ChainRow) int {
		return cmp.Or(strings.Compare(a.Campaign, b.Campaign), cmp.Compare(a.Entry, b.Entry))
	})
}

// row is a chain's row, with the goal that the campaign is measured by first where it
// says which.
func (rs *rows) row(ch *customer.Chain) output.ChainRow {
	r := ch.Row(rs.c)
	p := rs.set.ProgramOf(ch)
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
func (rs *rows) decide(d output.Decision) {
	d.Workspace, d.Customer, d.EventID, d.At = rs.c.Workspace, rs.c.ID, rs.eventID, rs.now
	rs.to.Decisions = append(rs.to.Decisions, d)
	if rs.trace != nil {
		rs.trace.Decided(d)
	}
}

// decideChain is decide for a chain.
func (rs *rows) decideChain(ch *customer.Chain, kind output.Kind, reason output.Reason, step, detail string) {
	rs.decide(output.Decision{
		Campaign: ch.Campaign, Version: ch.Version, Key: ch.Key, Entry: ch.Entry,
		Step: step, Kind: kind, Reason: reason, Detail: detail,
	})
}

// maxNoted bounds the faults of a customer's data that are remembered; beyond it the oldest
// is forgotten, and recorded again when it comes again.
const maxNoted = 32

// noteOnce records a fault in a customer's data that each record would show again: once a
// reason, campaign and detail.
func (rs *rows) noteOnce(reason output.Reason, campaign, detail string) {
	detail = clip.Text(detail, 100)
	id := string(reason) + "\x00" + campaign + "\x00" + detail
	if slices.Contains(rs.c.Noted, id) {
		return
	}
	if len(rs.c.Noted) >= maxNoted {
		rs.c.Noted = slices.Delete(rs.c.Noted, 0, 1)
	}
	rs.c.Noted = append(rs.c.Noted, id)
	rs.decide(output.Decision{Campaign: campaign, Kind: output.Erred, Reason: reason, Detail: detail})
}

// evaluationFailed records that an expression of a campaign could not be evaluated.
func (rs *rows) evaluationFailed(campaign string, err error) {
	rs.decide(
		output.Decision{
			Campaign: campaign,
			Kind:     output.Erred,
			Reason:   output.ReasonEvaluation,
			Detail:   clip.Text(err.Error(), 200),
		},
	)
}
