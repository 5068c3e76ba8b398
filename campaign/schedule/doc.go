// Package schedule says when something comes round: by the five fields of cron, or on the days
// of a calendar, by the local clock of a time zone.
package schedule
