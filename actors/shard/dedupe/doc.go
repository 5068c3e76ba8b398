// Package dedupe remembers the ids of a partition's events for a day, exactly, so that an
// event that comes twice counts once.
package dedupe
