package experiment

import (
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/storage"
)

// MaxTallies bounds the experiments that one shard counts for; further ones are not
// counted.
const MaxTallies = 10_000

// Table is what a shard counts for experiments.
type Table struct {
	all   map[Key]*Counts
	dirty map[Key]bool // changed or dropped since the last snapshot
}

// Fold takes the changes of the counts out of what a step did.
func (s *Table) Fold(out *output.Output) {
	for i := range out.Exposures {
		e := &out.Exposures[i]
		key := Key{e.Workspace, e.Campaign, e.Step}
		t := s.all[key]
		if t == nil && len(s.all) < MaxTallies {
			t = &Counts{Workspace: e.Workspace, Campaign: e.Campaign, Step: e.Step, Experiment: e.Experiment}
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

func (s *Table) set(key Key, t *Counts) {
	if s.all == nil {
		s.all = map[Key]*Counts{}
	}
	s.all[key] = t
}

func (s *Table) touch(key Key) {
	if s.dirty == nil {
		s.dirty = map[Key]bool{}
	}
	s.dirty[key] = true
}

// Renew brings the tallies in line with the experiments in force: those that are decided
// or gone are dropped, those that are others now count anew from now on.
func (s *Table) Renew(now int64, inForce func(*Counts) *program.Experiment) {
	for key, t := range s.all { //nudge:unordered each is handled alone
		switch x := inForce(t); {
		case x == nil:
			delete(s.all, key)
		case x.Print() != t.Experiment:
			s.all[key] = &Counts{
				Workspace: t.Workspace, Campaign: t.Campaign, Step: t.Step, Experiment: x.Print(), From: now,
			}
		default:
			continue
		}
		s.touch(key)
	}
}

// Snapshot puts into a snapshot of a partition what changed since the last.
func (s *Table) Snapshot(partition int, b *storage.Batch) {
	for key := range s.dirty { //nudge:unordered keys of one batch
		stored := storage.TallyKey(partition, key.Workspace, key.Campaign, key.Step)
		if t := s.all[key]; t != nil {
			b.Set(stored, t.appendTo(nil))
		} else {
			b.Delete(stored)
		}
	}
	clear(s.dirty)
}

// Load adds a tally by its stored form.
func (s *Table) Load(value []byte) error {
	t, err := decodeCounts(value)
	if err == nil {
		s.set(t.Key(), t)
	}
	return err
}

// Begin has an experiment that nothing was counted for count from now on.
func (s *Table) Begin(key Key, x *program.Experiment, now int64) {
	if s.all[key] != nil || len(s.all) >= MaxTallies {
		return
	}
	s.set(key, &Counts{
		Workspace: key.Workspace, Campaign: key.Campaign, Step: key.Step, Experiment: x.Print(), From: now,
	})
	s.touch(key)
}

// Copies are copies of all, in no order.
func (s *Table) Copies() []Counts {
	all := make([]Counts, 0, len(s.all))
	for _, t := range s.all { //nudge:unordered they are told apart by their names
		all = append(all, t.clone())
	}
	return all
}

// Of is what was counted for one experiment, good until the next change; ok is false
// when there is nothing.
func (s *Table) Of(key Key) (t Counts, ok bool) {
	if p := s.all[key]; p != nil {
		return *p, true
	}
	return Counts{}, false
}
