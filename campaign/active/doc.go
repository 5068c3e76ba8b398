// Package active is what the active campaigns of a workspace need together: which of them a
// record concerns, the counters that they ask for, the policies in force, earlier versions that
// live chains still use; and what changes for customers when one set takes the place of another.
package active
