package shard

import (
	"errors"
	"fmt"
)

// ErrSemantics reports that a state, or effects that belong to it, were computed by a
// program of another semantics, so that this program would compute something else from
// the same log.
var ErrSemantics = errors.New("actors: another semantics")

// SemanticsError returns an ErrSemantics for a partition that a program of semantics
// theirs left with work under way; its text says what to do.
func SemanticsError(partition int, theirs, ours uint64) error {
	return fmt.Errorf("%w: partition %d was left in the middle of its work by a version of semantics %d, and this one "+
		"computes semantics %d; start the version of semantics %d once more, stop it with SIGTERM so that it drains, "+
		"then start this one", ErrSemantics, partition, theirs, ours, theirs)
}
