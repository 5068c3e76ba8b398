// Package server is nudged as a library: one node that takes events over HTTP, runs the
// campaigns, sends messages, and writes what happened to ClickHouse. It is for cmd/nudged,
// which adds flags and signals, and for tests that run a server inside their own process.
//
// In go the [Settings] of one data directory; out comes a [Node] that listens on two
// addresses, one for events and one for administration. [Open] starts the parts one after the
// other, [Node.Wait] returns when one of them can no longer go on, and [Node.Close] stops them
// in the direction of the data: ingest, sinks, publisher, shards, store, log.
//
// Invariants:
//
//   - One process has a data directory (datalock.go), and one process runs a log (the lease in
//     log.go).
//   - Nothing is created before it is known that no part of the data is missing (parts.go).
//   - A shard runs only on the log that its state was computed from; a partition for which
//     this is not so is halted, and the others go on.
//
// Reading order: settings.go, node.go, then the files in the order in which start calls their
// functions: log.go, admin.go, child.go, crash_marker.go, engine.go, sinks.go, http.go; at
// last close.go.
//
// The package wires other packages together; what is more than wiring has a package below this
// one:
//
//	admission    whether a partition takes events
//	catalog      the definitions in force, compiled
//	deploy       puts definition files in force
//	erasure      erases customers
//	retention    trims the log
//	child        the embedded ClickHouse as a child process
//	admin        the HTTP interface for those who run the server
//	exposition   metrics as text
package server
