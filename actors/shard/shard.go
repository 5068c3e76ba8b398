package shard

import (
	"errors"
	"fmt"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/actors/shard/dedupe"
	"github.com/nudge-engine/nudge/actors/shard/experiment"
	"github.com/nudge-engine/nudge/actors/shard/wheel"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/machine"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/internal/effect"
)

// maxTimersPerStep bounds the timers that one Step fires (R8); the frame goes on
// in the next Step.
const maxTimersPerStep = 10_000

// ErrGap means that a frame is not the next one (C3).
var ErrGap = errors.New("actors: the frame is not the next of its partition")

// Config is what a shard is told when it is made.
type Config struct {
	Partition int
	Compile   Compile
	// MemoryLimit bounds the customers in memory, in bytes (an estimate); 0 means
	// no limit.
	MemoryLimit int64
	Skips       control.Skips
	// EraseKey is the key of the hashes that stay of erased customers.
	EraseKey []byte
	// Mark, when it is not nil, is told what is being applied before it is applied: a record,
	// the timers of a frame (index InTimers), or nothing (sequence 0).
	Mark func(seq uint64, index int)
	// Unguarded shards keep no copy of a customer while something happens to them: it
	// would cost more than all else where customers have many chains. Then a panic ends
	// the shard; its host makes it anew from its snapshot, guarded, and the panic
	// comes again and is contained (C7). What is computed is the same.
	Unguarded bool
	// Semantics is the version of what Step computes (R1); 0 means this program's.
	Semantics uint64
	// Trace notes what is asked about its customer; nil: nobody asks why. It changes
	// nothing that Step computes.
	Trace *trace.Trace
}

// InTimers is the index that Mark gets while the timers before a frame fire.
const InTimers = -1

// Shard is the owner of one partition's customers: the deterministic core. It
// belongs to one goroutine.
type Shard struct {
	config  Config
	machine *machine.Machine
	names   event.Names
	encoder effect.Encoder

	customers   customerCache
	wheel       wheel.Wheel
	dedupe      dedupe.Set
	defs        definitions
	bulkScans   bulkScans
	experiments experiment.Table
	erased      erased

	now            int64 // log time, ms; never goes back
	applied        Position
	emitted        uint64        // number of the last effect message
	lastHash       uint64        // XXH64 of its bytes
	ctl            uint64        // number of the last control record applied
	claim          control.Claim // the last owner that claimed the partition
	state          uint64        // state hash as of the last snapshot
	hold           catchUpBarrier
	migration      migration
	pendingDeletes pendingDeletes

	part uint32 // steps of the current frame so far
	// place is that of the current record, by which customers who come before definitions
	// are told from those who come after: its frame's sequence, and one more for all
	// definitions that followed an event in one frame. sawEvent says that the frame had an
	// event since the last of them.
	place    uint64
	sawEvent bool

	dirty   []*resident
	image   []byte // the current customer as it was, to go back to after a panic
	touched bool   // something changed since the last snapshot
	saving  bool   // a snapshot is on its way to the store
}

// New is a shard before the first record.
func New(c Config) *Shard {
	if c.Semantics == 0 {
		c.Semantics = effect.Semantics
	}
	names := event.Names{}
	return &Shard{
		config: c, machine: newMachine(&c), names: names, customers: newCustomerCache(names),
		dedupe: dedupe.New(), defs: newDefinitions(c.Compile), erased: newErased(),
	}
}

// Applied is the position of the last frame applied.
func (s *Shard) Applied() Position { return s.applied }

// Now is the log time, ms.
func (s *Shard) Now() int64 { return s.now }

// Emitted is the number of the last effect message, and its hash.
func (s *Shard) Emitted() (n, hash uint64) { return s.emitted, s.lastHash }

// Control is the number of the last control record applied.
func (s *Shard) Control() uint64 { return s.ctl }

// Claim is the last owner that claimed the partition.
func (s *Shard) Claim() control.Claim { return s.claim }

// NextDue is when the earliest timer is due, ms; 0 when there is none.
func (s *Shard) NextDue() int64 {
	due := s.hold.next(&s.wheel)
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

// Step applies a frame and leaves in out what must be done about it. It returns
// done = false when the frame has more due timers than one step fires: then it
// must be called again with the same frame and an empty out.
//
// REQUIRES: out is empty; the customers that Needs named were loaded.
func (s *Shard) Step(in *Input, out *effect.Effects) (done bool, err error) {
	if in.At.Seq != s.applied.Seq+1 {
		return false, fmt.Errorf("%w: partition %d: sequence %d after %d", ErrGap, s.config.Partition,
			in.At.Seq, s.applied.Seq)
	}
	if err := s.lost(in); err != nil {
		return false, err
	}
	if err := s.keyed(in); err != nil {
		return false, err
	}
	s.touched = true
	before := s.now
	s.now = max(s.now, in.Frame.Time)
	out.Seq, out.Part, out.Now, out.Semantics = in.At.Seq, s.part, s.now, s.config.Semantics
	s.hold.observe(&s.wheel, s.migration.underWay(), before, s.now)
	s.machine.Hold(s.hold.mark)
	s.mark(in.At.Seq, InTimers)
	defer s.mark(0, 0)
	defer s.experiments.Fold(&out.Output)
	s.scanSlice(out)
	if !s.migrateSlice(out) || !s.fireTimers(out) {
		s.part++
		return false, nil
	}
	s.startSchedules()
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

func (s *Shard) mark(seq uint64, index int) {
	if s.config.Mark != nil {
		s.config.Mark(seq, index)
	}
}

// Encode writes the effects of a step as numbered messages and remembers the
// last one's number and hash (R5).
func (s *Shard) Encode(out *effect.Effects, emit func(n uint64, data []byte)) {
	next := s.encoder.Encode(out, s.emitted+1, func(n uint64, data []byte) {
		s.lastHash = hashBytes(data)
		emit(n, data)
	})
	s.emitted = next - 1
}

// rearm brings a customer's timer in line with its state (C5).
func (s *Shard) rearm(h *resident) {
	due := h.c.NextDue()
	if due == 0 {
		s.wheel.Disarm(&h.timer)
		return
	}
	s.wheel.Arm(&h.timer, due)
}

func (s *Shard) markDirty(h *resident) {
	if !h.dirty {
		h.dirty = true
		s.dirty = append(s.dirty, h)
	}
}

// MayLeave says whether an attempt of a delivery may be made now (R9). known is
// false when the customer is passivated and must be loaded first.
func (s *Shard) MayLeave(workspace, customer string, id output.ID, attempt uint32) (may, known bool) {
	h := s.customers.find(workspace, customer)
	if h == nil {
		return false, !s.customers.inStore
	}
	return h.c.MayLeave(id, attempt, s.now) && !s.defs.set(workspace).Holds(h.c, id), true
}

// Customer is a customer in memory, nil when it is not there; the caller must
// not change it. known is as for MayLeave.
func (s *Shard) Customer(workspace, id string) (c *customer.Customer, known bool) {
	h := s.customers.find(workspace, id)
	if h == nil {
		return nil, !s.customers.inStore
	}
	return h.c, true
}
