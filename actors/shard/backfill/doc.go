// Package backfill counts, from the frames that the log still has, what customers did
// before a counter existed. Package actors runs it while a backfill is under way (ADR
// 12).
//
// A Filler takes the frames of one partition, from the first retained one to the record
// that began the backfill, and returns numbered Records: what a customer did, and marks
// that say how far the counting is. They are appended to the partition's log, and its
// shard applies them like any other record. After a crash a new Filler goes on from the
// State of the shard and makes the same records again, which the shard recognises by
// their numbers.
//
// Files in reading order: state.go, filler.go, record.go.
package backfill
