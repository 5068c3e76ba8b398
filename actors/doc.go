// Package actors runs the shards of a server: one actor for each partition, which reads
// the partition's log into its shard, publishes what the shard decides, and saves its
// snapshots. The server starts an Engine and a Controller; sinks and the API ask them.
//
//	EV_<p> --frame--> Shard.Step --effects--> FX_<p>
//	                    |   ^
//	          snapshot  v   | load
//	                  storage (Pebble)
//
// What is computed is in package shard, which has no I/O and no clock. This package has
// the goroutines, timers, streams and the store. The Engine runs the shards and answers
// questions about customers. The Controller writes control records (definitions, skips,
// decided experiments, backfills) into one stream and copies them into every partition.
// The Decider decides experiments. Package recovery checks that a log and a snapshot
// belong together.
//
// Invariants: a shard is touched by its actor's goroutine alone; everybody else sends the
// actor a question and waits for the answer. A partition that cannot go on halts alone,
// and the others run on. A snapshot is durable before the log that it replaces may be
// trimmed.
//
// Files in reading order: engine.go (start, stop, questions from outside), host.go (one
// partition: its actor and its reader), host_panic.go (a panic), engine_control.go (the
// controller) with engine_feed.go and engine_lookup.go, then the duties that use both:
// engine_experiments.go, engine_backfill.go, engine_dry_run.go, engine_explain.go.
package actors
