// Package control defines the control records: changes that concern a whole log, made by
// a person or by the engine (definitions, skips, decided experiments, backfills). A
// record is written once into the stream CTL and then copied into every partition, where
// the shard applies it in its place among the events.
package control
