// Package unit has the quantities of the language: amounts of money, durations and times, as
// definitions and events write them.
package unit
