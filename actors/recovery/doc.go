// Package recovery answers two questions before a partition starts: whether its log still
// is the one that its snapshot was computed from, and whether this program may go on with
// what another version computed. The engine asks it at each start and later before trims;
// the simulation asks it too.
//
// It only reads, but for TakeOver, which may rewrite the head of a snapshot. Files in
// reading order: continuity.go, takeover.go.
package recovery
