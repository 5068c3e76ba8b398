package experiment

import (
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/storage"
)

// MaxTallies bounds the experiments that one shard counts; the server warns where there
// are more. Those beyond are not counted and so never decided.
const MaxTallies = 10_000

// Table is the counts of all experiments of a shard. The zero value is empty. It must be
// used by one goroutine at a time.
type Table struct {
	all map[Key]*Counts
	// dirty are the keys whose counts changed or were dropped since the last snapshot.
	dirty map[Key]bool
}

// Fold takes the exposures out of what a step put out and adds them to the counts. They
// are for the counts only and go into no effect message.
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

// set puts counts under a key.
func (s *Table) set(key Key, t *Counts) {
	if s.all == nil {
		s.all = map[Key]*Counts{}
	}
	s.all[key] = t
}

// touch marks the counts of a key as changed since the last snapshot.
func (s *Table) touch(key Key) {
	if s.dirty == nil {
		s.dirty = map[Key]bool{}
	}
	s.dirty[key] = true
}

// Renew brings the counts in line with the experiments in force, which inForce returns
// for counts (nil if the experiment is decided or gone): those of no experiment are
// dropped, and those of another fingerprint start anew at log time now.
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

// Snapshot adds to a snapshot of a partition the counts that changed since the last one.
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

// Load adds counts by their stored form.
func (s *Table) Load(value []byte) error {
	t, err := decodeCounts(value)
	if err == nil {
		s.set(t.Key(), t)
	}
	return err
}

// Begin makes an experiment without counts count from log time now on.
func (s *Table) Begin(key Key, x *program.Experiment, now int64) {
	if s.all[key] != nil || len(s.all) >= MaxTallies {
		return
	}
	s.set(key, &Counts{
		Workspace: key.Workspace, Campaign: key.Campaign, Step: key.Step, Experiment: x.Print(), From: now,
	})
	s.touch(key)
}

// Copies returns copies of all counts, in no order.
func (s *Table) Copies() []Counts {
	all := make([]Counts, 0, len(s.all))
	for _, t := range s.all { //nudge:unordered they are told apart by their names
		all = append(all, t.clone())
	}
	return all
}

// Of returns the counts of one experiment, which share memory with the table and are
// valid until its next change; ok is false if there are none.
func (s *Table) Of(key Key) (t Counts, ok bool) {
	if p := s.all[key]; p != nil {
		return *p, true
	}
	return Counts{}, false
}
