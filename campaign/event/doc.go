// Package event has the records that tell what happened to a customer: events, as the tracking API
// received them, and transfers, which carry the state of an anonymous customer to the known customer
// into whom they merged.
//
// Their stored forms are part of the log: they are only ever extended, and testdata/*.hex holds them
// fixed. The package also decides which ids identify nobody (identifier.go) and shares repeated strings
// between decoded records (names.go).
package event
