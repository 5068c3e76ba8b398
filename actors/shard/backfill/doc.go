// Package backfill counts, from the frames that the log still has, what customers did
// before a counter existed. A Filler turns the frames of a partition into records; the
// partition's shard applies them like any other record of its log.
package backfill
