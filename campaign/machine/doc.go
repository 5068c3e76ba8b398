// Package machine applies one record, or one due timer, to one customer and writes what follows
// from it. See package campaign for the rules that it keeps.
package machine
