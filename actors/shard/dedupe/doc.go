// Package dedupe remembers the ids of a partition's events for a day of log time,
// exactly, so that an event that comes twice is applied once. A shard asks it for every
// event and saves it with each snapshot; a backfill uses one of its own.
//
// set.go has the window and the stored form, ids.go the hash set below it.
package dedupe
