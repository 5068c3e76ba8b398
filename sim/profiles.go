package sim

import (
	"math/rand/v2"

	"github.com/nudge-engine/nudge/sim/workload"
)

// A profile adds a group of situations to a world. Each draws from a generator of its own, so
// that adding a profile leaves the worlds without it, and the seeds that once failed, as they
// were.

// halfADay is how far the clock of a writer jumps in some worlds, in ms: dates are missed, and two jumps
// pass over all attempts of a delivery that were still to be made.
const halfADay = 43_200_000

// Operations adds what happens to a deployment over time: its store fails, the log loses a
// tail, another version of the program takes over, definitions are edited.
func (o Options) Operations(rng *rand.Rand) Options {
	rate := func(most int) Rate {
		r := Rate(1 + rng.IntN(most))
		if rng.IntN(2) == 0 {
			return 0
		}
		return r
	}
	o.Expires = rng.IntN(2) == 0
	if o.Jump > 60_000 {
		o.Temporary = rate(400)
	}
	o.StoreFails = rate(60)
	o.Rollback = rate(200)
	o.Upgrade = rng.IntN(3) == 0
	o.Edits = max(0, rng.IntN(7)-3)
	o.Block = []uint64{1, 3, 64}[rng.IntN(3)]
	return o
}

// WholeLanguage adds campaigns that use all parts of the language in workload.Features.
func (o Options) WholeLanguage(rng *rand.Rand) Options {
	o.Language = workload.DrawFeatures(rng)
	if o.Language.Caps { // what failed gives its place back
		o.Permanent = Rate(100 + rng.IntN(300))
	}
	if o.Language.Late {
		o.Clock, o.Jump = Rate(50+rng.IntN(100)), 1_800_000
	}
	return o
}

// DatesAndStatuses adds date triggers, and campaigns that are drafts, paused or archived for a while.
func (o Options) DatesAndStatuses(rng *rand.Rand) Options {
	o.Language = o.Language.DrawDatesAndStatuses(rng)
	if o.Language.Dates && rng.IntN(3) == 0 { // dates are missed
		o.Clock, o.Jump = Rate(50+rng.IntN(100)), halfADay
	}
	return o
}

// Overload is the options of a world in which more timers are due at once than one step
// fires: one partition, whose clock stands right, and large frames, which make it cheap.
func (o Options) Overload() Options {
	o.Burst, o.Partitions, o.Frame, o.Clock, o.Edits = true, 1, 2500, 0, 0
	o.CrashStep, o.HealEarly = 60, true // some come while a bulk scan goes on
	return o
}

// CallsAndExperiments adds call steps, calendars, anonymous customers who expire, and
// experiments that are decided while customers run.
func (o Options) CallsAndExperiments(rng *rand.Rand) Options {
	o.Language = o.Language.DrawCallsAndExperiments(rng)
	if o.Language.Deciding {
		o.Rollback = 0 // a decision may rest on frames that nobody else has read
	}
	return o
}

// RealSources adds calls as real sources send them: late, out of order, in other types.
func (o Options) RealSources(rng *rand.Rand) Options {
	o.Language = o.Language.DrawRealSources(rng)
	return o
}

// Changes adds what changes while customers run: pauses, campaigns that enter existing
// customers, other statuses, policies and counters.
func (o Options) Changes(rng *rand.Rand) Options {
	o.Language = o.Language.DrawChanges(rng)
	if o.Language.Dates && rng.IntN(2) == 0 { // dates are missed
		o.Clock, o.Jump = Rate(50+rng.IntN(100)), halfADay
	}
	return o
}

// Values adds currencies, long numbers, zones of devices, and thresholds over windows.
func (o Options) Values(rng *rand.Rand) Options {
	o.Language = o.Language.DrawValues(rng)
	return o
}

// Merging is the options of a world whose customers merge and are erased. Definitions stay
// as they are and the log loses nothing there: what the model says of customers who merge
// meanwhile is not decided.
func (o Options) Merging(rng *rand.Rand) Options {
	o.Identity = workload.Identity{Merges: true, Erases: rng.IntN(2) == 0, Large: rng.IntN(4) == 0}
	o.Partitions = []int{1, 2, 3, 8}[rng.IntN(4)]
	o.Edits, o.Rollback, o.Jump = 0, 0, 60_000
	o.Temporary = Rate(100 + rng.IntN(500)) // many deliveries are pending for a while
	if rng.IntN(3) > 0 {
		o = o.WholeLanguage(rng)
		f := &o.Language
		f.Caps = f.Caps || rng.IntN(2) == 0
		f.BulkScans, f.Levels, f.Made, f.Calendar, f.Late = false, false, false, false, false
		o.Clock, o.Jump = min(o.Clock, 20), 60_000
	}
	if o.SinkCrash > 0 {
		o.SinkCrash = Rate(20 + rng.IntN(60))
	}
	return o
}
