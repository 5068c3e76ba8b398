package sim

import (
	"fmt"
	"math/rand/v2"

	"github.com/nudge-engine/nudge/sim/workload"
)

// Rate is how often a fault comes, of 1,000 occasions.
type Rate int

// Options is what a world is like. Draw takes all of it from a seed.
type Options struct {
	Partitions int
	Latency    int64  // ms, the longest that an answer takes; 0: everything at once
	Frame      int    // records a frame at most
	Tick       int64  // ms, the least distance of two ticks and of a frame and a tick
	Memory     int64  // limit of an owner's memory in bytes; 0: none
	Block      uint64 // frames a partition and block of the warehouse; 0: the usual
	Snapshots  int64  // ms between the snapshots of an owner; 0: after each frame
	Calls      int    // of the workload; 0: drawn
	HealEarly  bool   // heal with the last call, not some time after
	// AskLagging is off in Draw: the dispatcher also asks owners that have not yet
	// made the delivery again, as the shell did once, and loses deliveries so.
	AskLagging  bool
	Claims      bool  // owners have names and claim their partitions
	Future      bool  // ingest does not bound event time by the frame's time
	SameFrame   bool  // several records of one customer may share a frame
	Jump        int64 // ms that the writer's clock is wrong by at most; beyond 5 min timers come late (R8)
	StrictDue   bool  // also compare the planned instant of what a record decided
	CrashStep   Rate  // an owner crashes after a Step, before its effects are stored
	CrashStored Rate  // after an effect was stored, before the answer
	CrashAnswer Rate  // after the answer
	CrashTaken  Rate  // after a snapshot was taken; it may or may not become durable
	CrashSaved  Rate  // after it became durable, before the answer
	Failover    Rate  // a second owner starts while the first goes on
	FxRefused   Rate  // an effect is not stored
	FxLied      Rate  // an effect is stored and reported as failed
	FxUnseen    Rate  // the last effect cannot be asked
	EvRefused   Rate  // a frame is not stored
	EvLied      Rate  // a frame is stored, reported as failed, and published again
	CtlTwice    Rate  // a copy of a control record comes twice
	Poison      Rate  // an event ends each owner that applies it
	Clock       Rate  // the writer's clock jumps or stands still, a call
	SinkCrash   Rate  // dispatcher or warehouse writer, an occasion
	Insert      Rate  // an insert fails, before or after it was applied
	Temporary   Rate  // verdicts of the channel
	Permanent   Rate
	ResultTwice Rate
	ResultLate  Rate
	Expires     bool // some steps say how long their messages may leave
	StoreFails  Rate // the store fails, once or for a while: a commit, a load, a start
	Rollback    Rate // at a crash the log loses a tail and uses its numbers again
	Burst       bool // more timers are due at once than a step fires; see Overload
	Upgrade     bool // a program of another semantics comes
	Edits       int  // how often campaigns are applied again while chains run
	// Language is what the campaigns use beyond the first language.
	Language workload.Features
	// Identity says whether customers merge and are erased.
	Identity workload.Identity
}

// Draw is the swarm: each fault is off in half of the worlds, so that faults are
// also seen without the others around them.
func Draw(rng *rand.Rand) Options {
	pick := func(from ...int64) int64 { return from[rng.IntN(len(from))] }
	rate := func(most int) Rate {
		r := Rate(1 + rng.IntN(most))
		if rng.IntN(2) == 0 {
			return 0
		}
		return r
	}
	o := Options{
		Partitions: int(pick(1, 1, 2, 3, 8)), Latency: pick(0, 3, 50, 1000), Frame: int(pick(1, 2, 5, 20)),
		Tick: pick(20, 20, 250), Memory: pick(0, 1, 1, 4000), Snapshots: pick(0, 5, 1000, 60_000, 86_400_000),
		HealEarly: rng.IntN(4) == 0,
		CrashStep: rate(40), CrashStored: rate(40), CrashAnswer: rate(40), CrashTaken: rate(80), CrashSaved: rate(80),
		Failover: rate(30), FxRefused: rate(80), FxLied: rate(80), FxUnseen: rate(300), EvRefused: rate(80),
		EvLied: rate(80), CtlTwice: rate(500), Poison: rate(20), Clock: rate(60),
		SinkCrash: rate(60), Insert: rate(300),
		Temporary: rate(400), Permanent: rate(200), ResultTwice: rate(300), ResultLate: rate(300),
		Claims: rng.IntN(2) == 0, Future: rng.IntN(2) == 0, SameFrame: rng.IntN(2) == 0, StrictDue: true,
		Jump: pick(60_000, 60_000, 1_800_000, 43_200_000),
	}
	if o.Jump > 60_000 {
		o.Temporary = 0 // late timers and retries together are left to Operations
	}
	return o
}

// String lists the options.
func (o Options) String() string {
	type plain Options // without this method
	return fmt.Sprintf("%+v", plain(o))
}
