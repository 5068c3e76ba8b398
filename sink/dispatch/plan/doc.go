// Package plan makes the decisions of the dispatcher that need no stream, clock or
// goroutine: which deliveries go into which channel's queue, which transfers may be
// forwarded now, what follows on a shard's answer about an attempt, what the result of an
// attempt says, and up to where a queue is finished. Package dispatch carries them out
// with goroutines and streams, the simulation with a clock of its own.
package plan
