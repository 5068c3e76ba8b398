package machine

import (
	"cmp"
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/clip"
)

// rows writes what an input leads to, and puts it in the order that readers are promised: by timer, then
// by campaign and entry number. Sends are decided in another order, that of arbitration, so the rows
// are ordered afterwards, by who wrote them.
type rows struct {
	*turn

	to *output.Output
	// segments say who wrote the end of the output.
	segments []segment
}

// begin directs what follows to another output.
func (rs *rows) begin(to *output.Output) { rs.to, rs.segments = to, rs.segments[:0] }

// delivery writes a status of a delivery.
func (rs *rows) delivery(d output.Delivery) { rs.to.Deliveries = append(rs.to.Deliveries, d) }

// goal writes that a goal was reached, or that this was taken back.
func (rs *rows) goal(row output.GoalRow) { rs.to.Goals = append(rs.to.Goals, row) }

// exposure writes a change of the counts of an experiment.
func (rs *rows) exposure(x output.Exposure) { rs.to.Exposures = append(rs.to.Exposures, x) }

// chain writes a chain's row as it is now.
func (rs *rows) chain(ch *customer.Chain) { rs.chainRow(rs.row(ch)) }

// chainRow writes a row of a chain.
func (rs *rows) chainRow(row output.ChainRow) { rs.to.Chains = append(rs.to.Chains, row) }

// mark is a place in the output: the lengths of the three lists that are put in order.
type mark struct{ deliveries, decisions, chains int }

// mark returns the present end of the output.
func (rs *rows) mark() mark {
	return mark{len(rs.to.Deliveries), len(rs.to.Decisions), len(rs.to.Chains)}
}

// cause is the timer that led to something: its number among those that fired in the call, in
// the order in which they fired. The zero value is a record.
type cause int

// segment is a part of the output, [from, to), that belongs to one cause and one chain.
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

// compare orders segments by cause, campaign and entry number. What a timer itself wrote has no
// campaign, so it comes before what the chains of its cause wrote.
func (s segment) compare(other segment) int {
	return cmp.Or(
		cmp.Compare(s.cause, other.cause),
		strings.Compare(s.campaign, other.campaign), cmp.Compare(s.entry, other.entry),
	)
}

// order puts the noted segments, which follow each other without a gap and are the end of the output,
// in their order. Segments of one chain keep the order in which they were written.
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

// reorder puts rows, which begin at place first of the output, in the order of the segments. at picks
// the list of the rows from a mark.
func reorder[T any](rows []T, first int, segments []segment, at func(mark) int) {
	moved := make([]T, 0, len(rows))
	for i := range segments {
		moved = append(moved, rows[at(segments[i].from)-first:at(segments[i].to)-first]...)
	}
	copy(rows, moved)
}

// orderTriggers puts what the triggers of a record wrote since a mark in the order of the campaigns:
// groups are settled by priority, after the other triggers.
func (rs *rows) orderTriggers(since mark) {
	decisions, chains := rs.to.Decisions[since.decisions:], rs.to.Chains[since.chains:]
	slices.SortStableFunc(decisions, func(a, b output.Decision) int {
		return cmp.Or(strings.Compare(a.Campaign, b.Campaign), cmp.Compare(a.Entry, b.Entry))
	})
	slices.SortStableFunc(chains, func(a, b output.ChainRow) int {
		return cmp.Or(strings.Compare(a.Campaign, b.Campaign), cmp.Compare(a.Entry, b.Entry))
	})
}

// row returns a chain's row. It names one goal: the campaign's primary one if the chain reached it and
// nothing took it back, else the one that Chain.Row chooses.
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

// decide completes a decision with customer, event and time, and writes it.
func (rs *rows) decide(d output.Decision) {
	d.Workspace, d.Customer, d.EventID, d.At = rs.c.Workspace, rs.c.ID, rs.eventID, rs.now
	rs.to.Decisions = append(rs.to.Decisions, d)
	if rs.trace != nil {
		rs.trace.Decided(d)
	}
}

// decideChain writes a decision about a chain.
func (rs *rows) decideChain(ch *customer.Chain, kind output.Kind, reason output.Reason, step, detail string) {
	rs.decide(output.Decision{
		Campaign: ch.Campaign, Version: ch.Version, Key: ch.Key, Entry: ch.Entry,
		Step: step, Kind: kind, Reason: reason, Detail: detail,
	})
}

// maxNoted bounds the faults of a customer's data that are remembered as written; beyond it the oldest
// is forgotten, and written again when it comes again.
const maxNoted = 32

// noteOnce writes a fault in a customer's data that each record would show again: once for each
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

// evaluationFailed writes that an expression of a campaign could not be evaluated, with the error cut
// to 200 bytes.
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

// sortOutput sorts the rows of the segments noted so far. Rows of later segments come after them.
func (rs *rows) sortOutput() {
	rs.order()
	rs.segments = rs.segments[:0]
}

// refuse writes that a trigger matched and no chain starts, for a reason that is no gate's: what the
// trigger counts is not known, or cannot be kept.
func (rs *rows) refuse(p *program.Program, reason output.Reason) {
	rs.decide(output.Decision{Campaign: p.Name, Version: p.Version, Kind: output.Refused, Reason: reason})
}

// quietly calls f, and drops what it writes and notes. It serves explanations, which evaluate without
// deciding.
func (rs *rows) quietly(f func()) {
	out, trace := rs.to, rs.trace
	rs.to, rs.trace = new(output.Output), nil
	f()
	rs.to, rs.trace = out, trace
}
