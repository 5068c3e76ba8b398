// Package active holds what the active campaigns of one workspace need together: which of them
// a record concerns, the counters that they ask for, the policies in force, earlier versions
// that live chains still use; and what changes for customers when one set takes the place of
// another.
//
// It is for package machine, which applies records to customers. Programs and policies go in; a
// Set comes out, which is built whole for each change of the definitions and never altered
// afterwards, so that any number of goroutines may read it. A Set depends only on what it is
// built from and in which order, so that every replay of the log builds the same one.
//
// Start with set.go; trigger_index.go and trigger_lookup.go find the triggers of a record,
// counters.go gathers what is counted, versions.go chooses the version that a chain follows,
// and bulk_scan.go, dropped.go and counters_new.go compare a set with the one before it.
package active
