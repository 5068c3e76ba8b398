// Package actors is the shell around the shards: it runs one actor for each partition,
// reads the log into it, publishes what it decides, and keeps its snapshots.
//
//	EV_<p> --frame--> Shard.Step --effects--> FX_<p>
//	                    |   ^
//	          snapshot  v   | load
//	                  storage (Pebble)
//
// What is computed is in package shard, which does no I/O and knows no clock. The Engine
// has what it does not: goroutines, timers, streams, the store. The Controller writes
// control records (definitions, skips, decided experiments) into one stream and has them
// copied into every partition. The Decider decides experiments. Whether a log and a
// snapshot belong together is asked in package recovery.
//
// Files in reading order: engine.go (start, stop, questions from outside), host.go (one
// partition: its actor, its reader), engine_control.go (the controller).
package actors
