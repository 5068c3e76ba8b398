// Package unit has the quantities of the campaign language: amounts of money, durations and instants,
// in the forms in which definitions and events write them.
//
// Amounts are Money, whole millionths of a unit, so that adding them is exact and does not depend on
// the order. Durations and instants are int64 milliseconds; instants count from the Unix epoch, UTC.
// All functions are pure and safe for concurrent use.
//
// money.go and amount.go have amounts, duration.go the durations, and duration_hint.go the suggestion
// that an error makes for a duration in the wrong form.
package unit
