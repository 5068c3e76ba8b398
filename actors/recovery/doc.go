// Package recovery answers, before a partition starts, whether its log still is the one
// that its snapshot was computed from, and whether this program may go on with what
// another version of it computed.
package recovery
