// Package schedule computes when something comes next by the local clock of a time zone: by a rule of
// five fields as in cron, or on the days of a named calendar. Both are used by schedule triggers.
//
// Results are instants in ms and depend on the arguments and the time zone database of package zone
// alone, so that a replay computes the same ones. Changes of the clocks are treated as in zone.Instant.
package schedule
