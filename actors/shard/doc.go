// Package shard computes the state of the customers of one partition from the partition's
// records, and what must be done about each record. It is for the engine (package
// actors), the simulator (sim) and the tools that replay a log (ops); nothing else drives
// a shard.
//
// What goes in are the frames of the partition's log, in order (Input). What comes out
// are effects (internal/effect: deliveries, decisions, rows, transfers) and, now and
// then, a snapshot of what changed (storage.Batch).
//
// A Shard holds the customers of one partition and is advanced by Step alone. It does no
// I/O and has no clock, so the same frames give the same effects on any machine, at any
// time. A customer is a plain struct that the shard loads when a record or a timer needs
// it and passivates (keeps as bytes, or only in the store) when memory is short.
//
// An Owner drives a shard and keeps the order of its duties: effects are appended before
// a frame is reported as applied, and a snapshot is taken only between frames, when every
// effect is acknowledged. It calls the functions of its Env for everything outside: in a
// server package actors provides them, in the simulator one goroutine with a random
// schedule.
//
// Contracts, which code and tests cite by number:
//
//	C1  Step is deterministic: same state, same frame, same effects, byte for byte.
//	C2  Effect message n of a partition is sequence n of FX_<p>, whatever crashes.
//	C3  A frame whose sequence is not applied+1 is not applied.
//	C4  A snapshot is taken only when every effect emitted is acknowledged.
//	C5  A timer is in the wheel if and only if a customer's NextDue is not zero,
//	    and then at that instant; also while the customer is passivated.
//	C6  A shard never has more frames under way than it has credits.
//	C7  A record that panics changes nothing but makes a dead letter.
//
// Files in reading order: input.go (what comes in), shard.go (Step, and the parts of a
// shard), record.go (one record), runner.go (the machine and its panics), timers.go
// (time), definitions.go (campaigns in force), bulk_scan.go and migration.go (work for all
// customers), resident.go (customers in memory), changes.go, meta.go and snapshot.go (what
// is kept), owner.go (the order of a partition's duties).
package shard
