// Package sim runs the engine in a seeded world and judges what it did.
//
//	workload --ingest double--> EV_<p> --> shard.Owner --> FX_<p> --> warehouse.Writer
//	                              ^                           |
//	                              +------ results ------ dispatcher double
//
// A World is one deployment on one goroutine. A seed is a world: every choice,
// which faults there are and when, comes from one rand.PCG. Under test are the
// production Shard and Owner, the memory log and store, and the warehouse's
// Writer with its sealed blocks; the publisher, the shell around owners and the
// dispatcher are doubles, because theirs are goroutines and clocks.
//
// A run has four phases: safety (faults, checks after each event), heal, bounded
// liveness (the world comes to rest by itself), and audit: package audit folds
// the log that came about and must agree with every effect.
//
// Files in reading order: options.go (what a seed draws), queue.go and world.go
// (time), ingest.go, node.go, env.go and disk.go (owners and their crashes),
// rollback.go (a log that loses its tail), upgrade.go (another semantics),
// dispatch.go, collect.go (the warehouse), reach.go, judge.go, replay.go, audit.go
// and sends.go (the end).
package sim
