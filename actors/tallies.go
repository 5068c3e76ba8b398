package actors

import (
	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/storage"
)

// MaxTallies bounds the experiments that one shard counts for; further ones are not
// counted.
const MaxTallies = 10_000

// tallies is what a shard counts for experiments.
type tallies struct {
	all   map[tallyKey]*Tally
	dirty map[tallyKey]bool // changed or dropped since the last snapshot
}

// fold takes the changes of the counts out of what a step did.
func (s *tallies) fold(out *campaign.Output) {
	for i := range out.Exposures {
		e := &out.Exposures[i]
		key := tallyKey{e.Workspace, e.Campaign, e.Step}
		t := s.all[key]
		if t == nil && len(s.all) < MaxTallies {
			t = &Tally{Workspace: e.Workspace, Campaign: e.Campaign, Step: e.Step, Experiment: e.Experiment}
			s.set(key, t)
		}
		if t == nil || t.Experiment != e.Experiment {
			continue // beyond the limit, or of an experiment that is no longer in force
		}
		t.add(e)
		s.touch(key)
	}
	out.Exposures = out.Exposures[:0]
}

func (s *tallies) set(key tallyKey, t *Tally) {
	if s.all == nil {
		s.all = map[tallyKey]*Tally{}
	}
	s.all[key] = t
}

func (s *tallies) touch(key tallyKey) {
	if s.dirty == nil {
		s.dirty = map[tallyKey]bool{}
	}
	s.dirty[key] = true
}

// renew brings the tallies in line with the experiments in force: those that are decided
// or gone are dropped, those that are others now count anew from now on.
func (s *tallies) renew(now int64, inForce func(*Tally) *campaign.Experiment) {
	for key, t := range s.all { //nudge:unordered each is handled alone
		switch x := inForce(t); {
		case x == nil:
			delete(s.all, key)
		case x.Print() != t.Experiment:
			s.all[key] = &Tally{
				Workspace: t.Workspace, Campaign: t.Campaign, Step: t.Step, Experiment: x.Print(), From: now,
			}
		default:
			continue
		}
		s.touch(key)
	}
}

func (s *tallies) snapshot(partition int, b *storage.Batch) {
	for key := range s.dirty { //nudge:unordered keys of one batch
		stored := storage.TallyKey(partition, key.workspace, key.campaign, key.step)
		if t := s.all[key]; t != nil {
			b.Set(stored, t.appendTo(nil))
		} else {
			b.Delete(stored)
		}
	}
	clear(s.dirty)
}

func (s *tallies) load(value []byte) error {
	t, err := decodeTally(value)
	if err == nil {
		s.set(t.key(), t)
	}
	return err
}

// begin has an experiment that nothing was counted for count from now on.
func (s *tallies) begin(key tallyKey, x *campaign.Experiment, now int64) {
	if s.all[key] != nil || len(s.all) >= MaxTallies {
		return
	}
	s.set(key, &Tally{
		Workspace: key.workspace, Campaign: key.campaign, Step: key.step, Experiment: x.Print(), From: now,
	})
	s.touch(key)
}

// copies are copies of all, in no order.
func (s *tallies) copies() []Tally {
	all := make([]Tally, 0, len(s.all))
	for _, t := range s.all { //nudge:unordered they are told apart by their names
		all = append(all, t.clone())
	}
	return all
}

// view is what was counted for one experiment, good until the next change; ok is false
// when there is nothing.
func (s *tallies) view(key tallyKey) (t Tally, ok bool) {
	if p := s.all[key]; p != nil {
		return *p, true
	}
	return Tally{}, false
}
