// Package machine applies one input to one customer and writes what follows from it. It is the
// deterministic core of the engine: campaign/active says which campaigns are in force,
// campaign/customer is the state that it changes, campaign/output is what it writes. The shard
// actor calls it, and so do simulations, previews and explanations.
//
// An input is an event (Machine.Apply), the timers that are due (Fire), a task for all customers
// (Visit), a new version of campaigns (Replan), the result of a delivery (Settle), a merge (Freeze
// and Merge) or an erasure (Erase). Its decisions, deliveries and rows go to an output.Output.
//
// Invariants:
//
//   - The same campaigns, customer, input and time give the same state and output, byte for byte: the
//     package reads no clock, no random source and no order of a map, and starts no goroutine. Replay
//     of the log rests on that.
//   - Times are Unix milliseconds. "now" is the time of the log, which never goes back; an event has a
//     time of its own, which may lie before it.
//   - What is kept for a customer is bounded, by constants and by the campaigns in force.
//   - The decision and its explanation ask the same gates (gate.go), so they cannot disagree.
//
// Reading order: machine.go and turn.go (the parts and what they share), apply.go (an event, step by
// step), fire.go (timers), quiescence.go (how an input comes to rest), trigger.go, enter.go and
// entry_gates.go (who enters), chains.go and run.go (what chains do), send.go and send_gates.go
// (what is sent), rows.go (the order of what is written). See package campaign for the rules, which
// comments cite as L1, L2 and so on.
package machine
