package shard

import (
	"errors"
	"fmt"
)

// ErrSemantics means that the state, or effects that follow it, were computed by
// another semantics.
var ErrSemantics = errors.New("actors: another semantics")

// SemanticsError says that a partition was left by another semantics, and what to do.
func SemanticsError(partition int, theirs, ours uint64) error {
	return fmt.Errorf("%w: partition %d was left in the middle of its work by a version of semantics %d, and this one "+
		"computes semantics %d; start the version of semantics %d once more, stop it with SIGTERM so that it drains, "+
		"then start this one", ErrSemantics, partition, theirs, ours, theirs)
}
