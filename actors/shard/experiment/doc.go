// Package experiment counts the exposures and conversions of experiments in each shard
// (Table, Counts), and computes from the counts of all shards how an experiment stands
// (State). The decider in package actors records what follows. ADR 14 says why it is
// split like this.
//
// Files in reading order: counts.go (what is counted, and its stored form), tallies.go
// (the table of a shard), state.go (the evaluation).
package experiment
