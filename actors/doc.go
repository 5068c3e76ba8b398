// Package actors is the engine: it folds the log into customers' state and
// decides what must be done.
//
//	EV_<p> --frame--> Shard.Step --Effects--> FX_<p>
//	                    |   ^
//	          snapshot  v   | load
//	                  storage (Pebble)
//
// A Shard owns the customers of one partition. It is driven by Step and by
// nothing else; it does no I/O and knows no clock. A customer is a virtual
// actor: a plain struct that its shard hosts, loaded when a record or a timer
// needs it and passivated when memory is short. The Engine is the shell: one
// Hollywood actor a shard, readers, publishing of effects, snapshots, ticks.
//
// Contracts that code and tests cite:
//
//	C1  Step is deterministic: same state, same frame, same effects, byte for byte.
//	C2  Effect message n of a partition is sequence n of FX_<p>, whatever crashes.
//	C3  A frame whose sequence is not applied+1 is not applied.
//	C4  A snapshot is taken only when every effect emitted is acknowledged.
//	C5  A timer is in the wheel if and only if a customer's NextDue is not zero,
//	    and then at that instant; also while the customer is passivated.
//	C6  Not more frames are in a shard's hands than it has credits.
//	C7  A record that panics changes nothing but makes a dead letter.
//
// Files in reading order: input.go (what comes in), shard.go (Step), record.go
// (one record), timers.go and wheel.go (time), dedupe.go, definitions.go
// (campaigns in force), hosted.go (customers in memory), view.go (what people see of
// them), meta.go, snapshot.go and semantics.go (what is kept), owner.go (the order of a
// partition's duties), then the shell: host.go, engine*.go. What goes out is in
// internal/effect.
package actors
