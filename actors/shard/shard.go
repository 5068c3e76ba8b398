package shard

import (
	"errors"
	"fmt"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/actors/shard/dedupe"
	"github.com/nudge-engine/nudge/actors/shard/erase"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/internal/effect"
)

// maxTimersPerStep bounds the timers that one Step fires. A frame with more due timers is
// finished by further Steps, so that what one Step needs in memory (customers loaded for
// it, effects) is bounded however many timers are due after a downtime.
const maxTimersPerStep = 10_000

// ErrGap reports a frame whose sequence does not follow that of the last one applied
// (C3).
var ErrGap = errors.New("actors: the frame is not the next of its partition")

// Config describes a shard. It must not be changed after New.
type Config struct {
	// Partition is the number of the partition, from 0.
	Partition int
	// Compile turns stored documents into campaigns and policies.
	Compile Compile
	// MemoryLimit bounds the customers in memory, in bytes of their estimated size; 0
	// means no limit. It is enforced after each snapshot, because customers who changed
	// since the last one cannot be passivated.
	MemoryLimit int64
	// Skips are the records that are passed over instead of applied; nil means none.
	Skips control.Skips
	// EraseKey is the secret key of the hashes that remain of erased customers.
	EraseKey []byte
	// Mark, if not nil, is called with the log position of each record before the record
	// is applied, with index InTimers before the timers of a frame fire, and with
	// sequence 0 when nothing is being applied any more. A crash marker on disk lets the
	// next start find a record that ends the process.
	Mark func(seq uint64, index int)
	// Unguarded turns off the copy of a customer that is made before each piece of work
	// and put back after a panic. The copy would cost more than everything else where
	// customers have many chains. A panic then ends the shard; its host makes a new one
	// from the snapshot, guarded, where the same panic recurs and is contained (C7). What
	// is computed is the same either way.
	Unguarded bool
	// Semantics is the version of what Step computes; it is written into effects and
	// snapshots. 0 means that of this program (effect.Semantics).
	Semantics uint64
	// Trace records the rules evaluated for the trace's customer; nil records nothing. It
	// changes nothing that Step computes.
	Trace *trace.Trace
}

// InTimers is the index that Mark gets while the timers before a frame's records fire.
const InTimers = -1

// Shard is the state of one partition: its customers, their timers and the definitions in
// force. Its methods must be called by one goroutine at a time.
//
// It coordinates the parts below, which keep the state, and calls them in the order of a Step. Each part has
// its own fields, which no other touches; it calls the parts above it in this list and none below. What all
// of them see is in partition.
type Shard struct {
	partition

	// dedupe, defs, customers, timers and changes keep the state; deadLetters and runner apply to one customer;
	// tallies, bulkScans and migration are work that goes on with time; erased and merges are about
	// who a customer is.
	dedupe      dedupe.Set
	defs        definitions
	customers   customerCache
	timers      timers
	changes     changes
	deadLetters deadLetters
	runner      runner
	tallies     tallies
	bulkScans   bulkScans
	migration   migration
	erased      erased
	merges      merges

	encoder  effect.Encoder
	applied  Position      // the last frame applied
	emitted  uint64        // number of the last effect message
	lastHash uint64        // XXH64 of the bytes of that message
	ctl      uint64        // number of the last control record applied
	claim    control.Claim // the last owner that claimed the partition
	part     uint32        // index of the next Step of the current frame, 0 between frames
}

// partition is what every part sees: the configuration, log time, and the place of the current record.
// Only Shard changes it, apart from sawEvent.
type partition struct {
	config Config
	// names interns strings that many events repeat (workspaces, event names).
	names event.Names
	now   int64 // log time, ms since the epoch; never goes back
	// place orders customers and definitions: a customer created at a place before that
	// of a definition was there when the definition came. It is the sequence of the
	// current frame, plus one for each group of definitions in the frame that followed an
	// event.
	place uint64
	// sawEvent reports that the frame had an event since the last definitions in it.
	sawEvent bool
}

// New returns an empty shard, as before the first record of its log. Recover loads a
// snapshot into it.
func New(c Config) *Shard {
	if c.Semantics == 0 {
		c.Semantics = effect.Semantics
	}
	s := &Shard{partition: partition{config: c, names: event.Names{}}}
	s.connect()
	return s
}

// connect gives each part what all see and the parts that it calls. It gets no other, so no part can call
// one that stands after it in Shard.
func (s *Shard) connect() {
	p := &s.partition
	s.dedupe = dedupe.New()
	s.defs = newDefinitions(p.config.Compile)
	s.customers = newCustomerCache(p.names)
	s.changes = changes{partition: p, customers: &s.customers}
	s.deadLetters = deadLetters{partition: p}
	s.runner = runner{partition: p, defs: &s.defs, timers: &s.timers, machine: newMachine(&p.config)}
	s.tallies = tallies{partition: p, defs: &s.defs}
	s.bulkScans = bulkScans{
		partition: p, dedupe: &s.dedupe, defs: &s.defs, customers: &s.customers, timers: &s.timers,
		changes: &s.changes, runner: &s.runner,
	}
	s.migration = migration{
		partition: p, defs: &s.defs, customers: &s.customers, timers: &s.timers, changes: &s.changes,
		runner: &s.runner,
	}
	s.erased = erased{partition: p, changes: &s.changes, set: map[erase.Hash]struct{}{}}
	s.merges = merges{
		partition: p, dedupe: &s.dedupe, customers: &s.customers, timers: &s.timers, changes: &s.changes,
		deadLetters: &s.deadLetters, runner: &s.runner, bulkScans: &s.bulkScans, erased: &s.erased,
	}
}

// Applied returns the position of the last frame applied; its Seq is 0 before the first.
func (s *Shard) Applied() Position { return s.applied }

// Now returns the log time, ms since the epoch.
func (s *Shard) Now() int64 { return s.now }

// Emitted returns the number of the last effect message and the XXH64 of its bytes.
func (s *Shard) Emitted() (n, hash uint64) { return s.emitted, s.lastHash }

// Control returns the number of the last control record applied.
func (s *Shard) Control() uint64 { return s.ctl }

// Claim returns the last valid claim of an owner in the log.
func (s *Shard) Claim() control.Claim { return s.claim }

// NextDue returns the log time, ms, at which a Step is needed even if no event comes: for
// a timer, a schedule, a migration or a bulk scan. 0 means never.
func (s *Shard) NextDue() int64 {
	due := s.timers.next()
	for _, next := range [2]int64{s.migration.next(), s.bulkScans.next(s.now)} {
		if next != 0 && (due == 0 || next < due) {
			due = next
		}
	}
	if due >= customer.Never {
		return 0
	}
	return due
}

// Step applies a frame and puts into out what must be done about it. It returns done =
// false when the frame has more work than one Step does (due timers, customers to
// migrate); then it must be called again with the same frame and an empty out, until
// done.
//
// The order is the same for every frame: log time moves on, bulk scans and migrations go
// on by a slice, due timers fire, schedules start, and then the records are applied. So
// what is due at a frame's time happens before the frame's events.
//
// Errors are ErrGap, ErrLost and ErrEraseKey; the frame is then not applied and the shard
// is unchanged.
//
// REQUIRES: out is empty; the customers that Needs named were loaded, and the page that
// BulkScanPage asked for was set.
func (s *Shard) Step(in *Input, out *effect.Effects) (done bool, err error) {
	if in.At.Seq != s.applied.Seq+1 {
		return false, fmt.Errorf("%w: partition %d: sequence %d after %d", ErrGap, s.config.Partition,
			in.At.Seq, s.applied.Seq)
	}
	if err := s.lost(in); err != nil {
		return false, err
	}
	if err := s.erased.keyed(in); err != nil {
		return false, err
	}
	s.changes.touch()
	before := s.now
	s.now = max(s.now, in.Frame.Time)
	out.Seq, out.Part, out.Now, out.Semantics = in.At.Seq, s.part, s.now, s.config.Semantics
	s.timers.observe(s.migration.underWay(), before, s.now)
	s.runner.hold()
	s.mark(in.At.Seq, InTimers)
	defer s.mark(0, 0)
	defer s.tallies.fold(&out.Output)
	s.bulkScans.scanSlice(out)
	if !s.migration.slice(out) || !s.fireTimers(out) {
		s.part++
		return false, nil
	}
	s.bulkScans.startSchedules()
	s.dedupe.Evict(s.now)
	s.sawEvent, s.place = false, max(in.At.Seq, s.defs.newest())
	for i := range in.Frame.Records {
		if s.mark(in.At.Seq, i); !s.skipped(in, i, out) {
			s.apply(in, i, out)
		}
	}
	s.applied, s.part = in.At, 0
	return true, nil
}

// mark tells the crash marker, if there is one, what is applied from now on.
func (s *Shard) mark(seq uint64, index int) {
	if s.config.Mark != nil {
		s.config.Mark(seq, index)
	}
}

// Encode writes the effects of one Step as messages of at most effect.MaxMessage bytes,
// numbered on from the last, and calls emit with each. It records the number and hash of
// the last one, which the next snapshot keeps.
func (s *Shard) Encode(out *effect.Effects, emit func(n uint64, data []byte)) {
	next := s.encoder.Encode(out, s.emitted+1, func(n uint64, data []byte) {
		s.lastHash = hashBytes(data)
		emit(n, data)
	})
	s.emitted = next - 1
}

// MayLeave reports whether an attempt of a delivery may be made now: the delivery is
// pending, the attempt is its current one, it has not expired, and sends are not switched
// off. known is false when the customer may be in the store only; then the answer is
// worth nothing and the customer must be loaded first.
func (s *Shard) MayLeave(workspace, customer string, id output.ID, attempt uint32) (may, known bool) {
	h := s.customers.find(workspace, customer)
	if h == nil {
		return false, !s.customers.someStored()
	}
	return h.c.MayLeave(id, attempt, s.now) && !s.defs.set(workspace).Holds(h.c, id), true
}

// Customer returns a customer in memory, nil if they are not there. The caller must not
// change it, and must not keep it beyond the next Step. known is as for MayLeave: with
// nil and known the customer does not exist.
func (s *Shard) Customer(workspace, id string) (c *customer.Customer, known bool) {
	h := s.customers.find(workspace, id)
	if h == nil {
		return nil, !s.customers.someStored()
	}
	return h.c, true
}

// remove deletes a customer from the shard, and from the store with the next snapshot.
func (s *Shard) remove(h *resident) {
	s.timers.disarm(h)
	s.changes.remove(h)
	s.customers.remove(h)
	s.bulkScans.removed(h.timer.Key)
}
