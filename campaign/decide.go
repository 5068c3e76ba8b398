package campaign

import (
	"slices"

	"github.com/nudge-engine/nudge/internal/clip"
)

// row is a chain's row, with the goal that the campaign is measured by first where it
// says which.
func (m *Machine) row(ch *Chain) ChainRow {
	r := ch.row(m.c)
	p := m.set.of(ch)
	if p == nil {
		return r
	}
	for _, hit := range ch.Goals {
		if g := p.goal(hit.ID); g != nil && g.Primary && !ch.reversed(hit.ID) {
			r.Goal, r.Value, r.HasValue, r.Currency = hit.ID, hit.Value, hit.HasValue, hit.Currency
		}
	}
	return r
}

// decide completes a decision and writes it down.
func (m *Machine) decide(d Decision) {
	d.Workspace, d.Customer, d.EventID, d.At = m.c.Workspace, m.c.ID, m.eventID, m.now
	m.out.Decisions = append(m.out.Decisions, d)
	if m.trace != nil {
		m.trace.decided(d)
	}
}

// decideChain is decide for a chain.
func (m *Machine) decideChain(ch *Chain, kind Kind, reason Reason, step, detail string) {
	m.decide(Decision{
		Campaign: ch.Campaign, Version: ch.Version, Key: ch.Key, Entry: ch.Entry,
		Step: step, Kind: kind, Reason: reason, Detail: detail,
	})
}

// maxNoted bounds the faults of a customer's data that are remembered; beyond it the oldest
// is forgotten, and recorded again when it comes again.
const maxNoted = 32

// noteOnce records a fault in a customer's data that each record would show again: once a
// reason, campaign and detail.
func (m *Machine) noteOnce(reason Reason, campaign, detail string) {
	detail = clip.Text(detail, 100)
	id := string(reason) + "\x00" + campaign + "\x00" + detail
	if slices.Contains(m.c.noted, id) {
		return
	}
	if len(m.c.noted) >= maxNoted {
		m.c.noted = slices.Delete(m.c.noted, 0, 1)
	}
	m.c.noted = append(m.c.noted, id)
	m.decide(Decision{Campaign: campaign, Kind: Erred, Reason: reason, Detail: detail})
}

// evaluationFailed records that an expression of a campaign could not be evaluated.
func (m *Machine) evaluationFailed(campaign string, err error) {
	m.decide(Decision{Campaign: campaign, Kind: Erred, Reason: ReasonEvaluation, Detail: clip.Text(err.Error(), 200)})
}
