// Package program is what a definition says, compiled: campaigns with triggers, steps, goals
// and policies, and the documents that they were read from. Programs are immutable and safe for
// concurrent use.
package program
