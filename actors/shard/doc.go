// Package shard folds the records of one partition into the state of its customers and
// says what must be done about each.
//
// A Shard owns the customers of one partition. It is driven by Step and by nothing else;
// it does no I/O and knows no clock, so that the same frames give the same effects on any
// machine, at any time. A customer is a virtual actor: a plain struct that its shard
// holds, loaded when a record or a timer needs it and passivated when memory is short.
// An Owner drives a shard and keeps the order of its duties: append effects, then say that
// a frame is done; take a snapshot only between frames. It calls what its Env gives it: in
// a server that is package actors, in the simulation one goroutine with a random schedule.
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
// Files in reading order: input.go (what comes in), shard.go (Step), record.go (one
// record), timers.go (time), definitions.go (campaigns in force), hosted.go (customers in
// memory), meta.go and snapshot.go (what is kept), owner.go (the order of a partition's
// duties). What goes out is in internal/effect.
package shard
