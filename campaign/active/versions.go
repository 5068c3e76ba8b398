package active

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/program"
)

// maxKept bounds the older versions of one campaign that chains can keep. The state of a shard
// holds their documents, so there must be a limit; chains of still older versions follow the
// oldest kept.
const maxKept = 16

// VersionHistory records what became of earlier versions of one campaign. It is part of the
// stored state of a shard.
type VersionHistory struct {
	Campaign string `json:"campaign"`
	// At is the log time at which the version in force came, Unix ms.
	At int64 `json:"at"`
	// From is the first version whose chains follow the version in force.
	From uint32 `json:"from"`
	// Exit is the first version whose chains do not end; those of earlier ones do. 0: none do.
	Exit uint32 `json:"exit,omitempty"`
	// Kept are the versions that the other chains follow, oldest first; at most maxKept.
	Kept []RetainedVersion `json:"kept,omitempty"`
}

// RetainedVersion is an older version that chains still follow: those of version From or later,
// up to the From of the next.
type RetainedVersion struct {
	From     uint32           `json:"from"`
	Document program.Document `json:"document"`
}

// Next records that next replaces old at log time now (ms). The in_flight of the new version
// decides: chains follow it, end, or stay with the version that they have.
func (s *VersionHistory) Next(old *program.Document, next *program.Program, now int64) {
	s.At = now
	switch next.InFlight {
	case program.Follow:
		s.Kept, s.From = nil, 0
	case program.EndAll:
		s.Kept, s.From, s.Exit = nil, 0, next.Version
	case program.Pin:
		s.Kept = append(s.Kept, RetainedVersion{From: s.From, Document: *old})
		s.From = next.Version
		if len(s.Kept) > maxKept {
			s.Kept = append([]RetainedVersion(nil), s.Kept[1:]...)
			// Chains of the version that was dropped follow the oldest one that is left.
			s.Kept[0].From = 0
		}
	}
}

// versionHistory is a VersionHistory with the programs of its kept versions; programs[i]
// belongs to Kept[i].
type versionHistory struct {
	VersionHistory
	programs []*program.Program
}

// SetHistory sets which older versions chains follow: kept[i] holds the programs of
// all[i].Kept, which must have been given to NewSet too. It must be called before the set is
// used.
func (s *Set) SetHistory(all []VersionHistory, kept [][]*program.Program) {
	s.Histories = make(map[string]*versionHistory, len(all))
	for i := range all {
		s.Histories[all[i].Campaign] = &versionHistory{VersionHistory: all[i], programs: kept[i]}
	}
}

// ProgramOf returns the program that a chain follows: the version in force, or the kept one of
// the chain's version; nil if the campaign is gone.
func (s *Set) ProgramOf(ch *customer.Chain) *program.Program {
	next := s.Histories[ch.Campaign]
	if next == nil || ch.Version >= next.From {
		return s.ByName[ch.Campaign]
	}
	for i := len(next.Kept) - 1; i >= 0; i-- {
		if ch.Version >= next.Kept[i].From {
			return next.programs[i]
		}
	}
	return s.ByName[ch.Campaign]
}
