package audit

import (
	"cmp"
	"slices"
)

// Delivery is what was decided of one message for one channel. Due is the instant for which the
// step was planned, At the log time of the decision.
type Delivery struct {
	Campaign  string
	Version   int
	Customer  string
	Key       string
	Entry     int
	Step      string
	Channel   string
	At        int64
	Due       int64
	TriggerID string
	Status    string // HandedOff, Ghost, Dropped or Deferred
	Reason    string
	Variant   string
}

// Conversion is a goal that was reached or taken back.
type Conversion struct {
	Campaign string
	Customer string
	Entry    int
	Goal     string
	Step     string // of the last delivery before
	Value    float64
	Currency string
	At       int64 // event time
	Reversal bool
}

// Hit is one goal counted for one chain, at the log time At.
type Hit struct {
	Goal     string
	At       int64
	Value    float64
	Currency string

	time     int64 // of the event
	step     string
	reversed bool
}

// Chain is the row of one chain. Goal and Value are those of chain.shownGoal; Hits are all goals,
// in the order counted. EndedAt is 0 while the chain is active.
type Chain struct {
	Campaign  string
	Version   int // under which it last ran
	Customer  string
	Key       string
	Entry     int
	EnteredAt int64
	EndedAt   int64
	Outcome   string
	Goal      string
	Value     float64
	Currency  string
	Hits      []Hit
	HeldOut   bool
	Variants  []Passed

	// Shown are the versions that the row of a live chain may show: the one at which something of it was
	// last written, and those under which it has only moved on since.
	Shown []int
}

// Refusal counts the entries that one campaign refused for one reason.
type Refusal struct {
	Campaign string
	Reason   string
	Count    int
}

// Deliveries returns all so far, in the order decided.
func (a *Auditor) Deliveries() []Delivery { return slices.Clone(a.deliveries) }

// Conversions returns all so far, in the order counted.
func (a *Auditor) Conversions() []Conversion { return slices.Clone(a.conversions) }

// Chains returns the rows of all chains so far, by (campaign, customer, entry).
func (a *Auditor) Chains() []Chain {
	all := slices.Clone(a.closedRows)
	for _, c := range a.customers {
		for _, ch := range c.chains {
			if !ch.forgottenAtMerge {
				all = append(all, ch.result())
			}
		}
	}
	slices.SortFunc(all, func(x, y Chain) int {
		return cmp.Or(cmp.Compare(x.Campaign, y.Campaign), cmp.Compare(x.Customer, y.Customer),
			cmp.Compare(x.Entry, y.Entry))
	})
	return all
}

// result returns the chain's row.
func (ch *chain) result() Chain {
	r := Chain{
		Campaign: ch.def.Name, Version: ch.version, Customer: ch.customer.id, Key: ch.key, Entry: ch.entry,
		EnteredAt: ch.enteredAt, EndedAt: ch.endedAt, Outcome: ch.outcome, Hits: slices.Clone(ch.hits),
	}
	r.HeldOut, r.Variants, r.Shown = ch.heldOut, slices.Clone(ch.passed), slices.Clone(ch.unwritten)
	if hit, ok := ch.shownGoal(); ok {
		r.Goal, r.Value, r.Currency = hit.Goal, hit.Value, hit.Currency
	}
	return r
}

// Freed is the instant from which on the customer may enter the campaign again after a chain with
// that trigger.
type Freed struct {
	At        int64
	Customer  string
	TriggerID string
}

// Cooling returns the cooldowns of all chains of campaigns that have one, also those that are over.
func (a *Auditor) Cooling() []Freed {
	var all []Freed
	for _, c := range a.customers {
		for _, ch := range c.chains {
			r := &ch.def.Reentry
			from := ch.enteredAt
			if r.FromExit {
				from = ch.endedAt
			}
			if r.Mode == ModeCooldown && from != 0 {
				all = append(all, Freed{from + r.Cooldown.Milliseconds(), c.id, ch.trigger.ID})
			}
		}
	}
	return all
}

// Refused returns the refusals by (campaign, reason). The reasons are the model's own words.
func (a *Auditor) Refused() []Refusal {
	all := slices.Clone(a.refused)
	slices.SortFunc(all, func(x, y Refusal) int {
		return cmp.Or(cmp.Compare(x.Campaign, y.Campaign), cmp.Compare(x.Reason, y.Reason))
	})
	return all
}

// Waiting reports whether any chain is live, hence whether a simulation's clock runs on after the
// last record.
func (a *Auditor) Waiting() bool {
	for _, c := range a.customers {
		if c.liveChains() > 0 {
			return true
		}
	}
	return false
}
