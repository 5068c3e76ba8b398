package shard

import (
	"errors"
	"fmt"
	"strings"

	"github.com/nudge-engine/nudge/actors/shard/view"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/storage"
)

// Errors for which a partition halts: going on could lose or double something,
// so a person has to look (R7).
var (
	ErrContinuity = errors.New("actors: the log is not the one this state was computed from")
	ErrDiverged   = errors.New("actors: an effect message differs from the one in the log")
	ErrTakenOver  = errors.New("actors: another owner claimed the partition")
)

// Env is what an Owner needs done. The functions are called by the goroutine
// that calls the owner; Append, Commit and Retry answer later, through the
// owner's methods, never from inside the call.
type Env struct {
	// Epoch is that of this owner's claim; the claim of a later one ends it.
	Epoch uint64
	// Append stores effect message n if n-1 is the last; the answer is Appended.
	Append func(n uint64, data []byte)
	// LastEffect is the last sequence of the effect stream.
	LastEffect func() (uint64, error)
	// EffectHash is the XXH64 of effect message n as it is stored.
	EffectHash func(n uint64) (uint64, error)
	// EffectFrame is the log sequence of the frame that made effect message n.
	EffectFrame func(n uint64) (uint64, error)
	// Load reads the stored value of a customer, nil when there is none.
	Load func(workspace, id string) ([]byte, error)
	// Keys reads the ids of the first n customers of a workspace after an id.
	Keys func(workspace, after string, n int) ([]string, error)
	// Commit makes a snapshot durable; the answer is Committed.
	Commit func(b *storage.Batch)
	// Retry calls Resume after a pause.
	Retry func()
	// Applied says that a frame is applied and its effects are acknowledged.
	Applied func(in Position, now int64)
	// Halt says that the partition stops for good.
	Halt func(err error)
}

// Owner drives one shard and keeps the order of its duties: effects are appended
// in their order, each once; a snapshot waits until all are acknowledged. It
// does no I/O of its own and belongs to one goroutine.
type Owner struct {
	Shard *Shard
	env   Env
	node  string

	outbox  []emitted // emitted and not acknowledged, oldest first
	sent    int       // how many of the outbox are in flight
	failed  bool      // an append failed: no more until all in flight are answered
	have    uint64    // effect messages up to here were in the log when last looked
	found   uint64    // effect messages in the log at start, the last of them
	origin  uint64    // made by this frame
	frames  []applied
	acked   Position // the last frame whose effects are all acknowledged
	barrier bool     // a snapshot waits for the outbox to empty
	held    []Input  // frames that came meanwhile
	saved   Meta     // the last durable snapshot
	saving  Meta     // the one on its way
	halted  error
	out     effect.Effects
	recent  view.Recent
	refused uint64 // events of erased customers, since the start
}

type emitted struct {
	n    uint64
	data []byte
}

type applied struct {
	at    Position
	upTo  uint64 // number of the last effect message that its frame made
	clock int64
}

// NewOwner drives shard for node.
func NewOwner(shard *Shard, node string, env Env) *Owner {
	return &Owner{Shard: shard, node: node, env: env}
}

// Start takes the recovered shard up. The caller has checked the continuity of
// both streams.
func (o *Owner) Start() error {
	last, err := o.env.LastEffect()
	if err != nil {
		return err
	}
	if n, _ := o.Shard.Emitted(); last < n {
		return fmt.Errorf("%w: the effect stream ends at %d, the snapshot has %d", ErrContinuity, last, n)
	}
	if n, _ := o.Shard.Emitted(); last > n {
		if o.origin, err = o.env.EffectFrame(last); err != nil {
			return err
		}
	}
	o.have, o.found = last, last
	o.acked, o.saved = o.Shard.Applied(), o.Shard.Meta()
	return nil
}

// Acked is the last frame whose effects are all acknowledged. After a start it stays
// at the snapshot until replay has given every effect that is in the log.
func (o *Owner) Acked() Position { return o.acked }

// Saved describes the last durable snapshot.
func (o *Owner) Saved() Meta { return o.saved }

// Halted is why the partition stopped, nil while it runs.
func (o *Owner) Halted() error { return o.halted }

// Busy says that something is not finished: effects, held frames or a snapshot.
func (o *Owner) Busy() bool {
	return len(o.outbox) > 0 || len(o.held) > 0 || o.Shard.saving || o.barrier
}

// Frame applies the next frame, or holds it while a snapshot waits. How many
// frames an owner is given before they are Applied is bounded by its caller (C6).
func (o *Owner) Frame(in Input) {
	if o.halted != nil {
		return
	}
	if o.barrier {
		o.held = append(o.held, in)
		return
	}
	o.apply(&in)
}

func (o *Owner) apply(in *Input) {
	for done := false; !done; {
		if err := o.page(); err != nil {
			o.Halt(err)
			return
		}
		if err := o.load(o.Shard.Needs(in)); err != nil {
			o.Halt(err)
			return
		}
		o.out.Reset()
		var err error
		if done, err = o.Shard.Step(in, &o.out); err != nil {
			o.Halt(err)
			return
		}
		o.recent.Note(&o.out)
		o.countErased(in)
		o.Shard.Encode(&o.out, func(n uint64, data []byte) {
			o.outbox = append(o.outbox, emitted{n: n, data: data})
		})
	}
	n, _ := o.Shard.Emitted()
	if in.At.Seq >= o.origin && n < o.found {
		o.Halt(fmt.Errorf("%w: after frame %d there are %d effect messages, and the log has %d of it", ErrContinuity,
			in.At.Seq, n, o.found))
		return
	}
	o.frames = append(o.frames, applied{at: in.At, upTo: n, clock: o.Shard.Now()})
	if claim := o.Shard.Claim(); claim.Node != o.node && claim.Epoch > o.env.Epoch {
		o.Halt(fmt.Errorf("%w: %s", ErrTakenOver, claim.Node))
		return
	}
	o.Passivate()
	o.flushOutbox()
}

// passivateSlice is how many customers are looked at in one go for who may sleep.
const passivateSlice = 128

// Passivate lets some customers fall asleep who are in no use.
func (o *Owner) Passivate() {
	if o.halted == nil {
		o.Shard.Passivate(passivateSlice)
	}
}

// page gives a bulk scan the next keys of the store.
func (o *Owner) page() error {
	workspace, after, n, wanted := o.Shard.BulkScanPage()
	if !wanted {
		return nil
	}
	ids, err := o.env.Keys(workspace, after, n)
	if err != nil {
		return err
	}
	o.Shard.SetBulkScanPage(ids)
	return nil
}

func (o *Owner) load(keys []string) error {
	for _, key := range keys {
		workspace, id, _ := strings.Cut(key, "\x00")
		value, err := o.env.Load(workspace, id)
		if err != nil {
			return err
		}
		if err := o.Shard.Load(key, value); err != nil {
			return err
		}
	}
	return nil
}

// flushOutbox appends what is emitted and not in flight, and settles what needs nothing.
func (o *Owner) flushOutbox() {
	for !o.failed && o.sent < len(o.outbox) {
		e := o.outbox[o.sent]
		if e.n > o.have {
			o.sent++
			o.env.Append(e.n, e.data)
			continue
		}
		// The message is in the log: from before a crash, or from an append whose
		// answer was lost. It must be the same.
		if o.sent > 0 {
			panic(fmt.Sprintf("BUG: effect %d is in the log behind one in flight", e.n))
		}
		stored, err := o.env.EffectHash(e.n)
		if err != nil {
			o.failed = true
			o.env.Retry()
			return
		}
		if mine := hashBytes(e.data); stored != mine {
			o.Halt(fmt.Errorf("%w: message %d: %016x in the log, %016x computed", ErrDiverged, e.n, stored, mine))
			return
		}
		o.outbox = o.outbox[1:]
	}
	o.advanceAcked()
}

// Appended is the answer to Env.Append: answers come in the order of appends.
func (o *Owner) Appended(err error) {
	o.sent--
	if err == nil && !o.failed {
		o.have = o.outbox[0].n
		o.outbox[0].data = nil
		o.outbox = o.outbox[1:]
		o.advanceAcked()
		return
	}
	o.failed = true
	if o.sent == 0 && o.halted == nil {
		o.env.Retry()
	}
}

// Resume goes on after a failure: what is in the log is looked up, the rest is
// appended again (R5).
func (o *Owner) Resume() {
	if !o.failed || o.sent > 0 || o.halted != nil {
		return
	}
	last, err := o.env.LastEffect()
	if err != nil {
		o.env.Retry()
		return
	}
	if len(o.outbox) > 0 && last+1 < o.outbox[0].n {
		o.Halt(fmt.Errorf("%w: the effect stream ends at %d, message %d was acknowledged", ErrContinuity, last,
			o.outbox[0].n-1))
		return
	}
	o.have, o.failed = max(last, o.have), false
	o.flushOutbox()
}

// advanceAcked tells which frames are finished and takes a snapshot that waited.
func (o *Owner) advanceAcked() {
	finished, _ := o.Shard.Emitted()
	if len(o.outbox) > 0 {
		finished = o.outbox[0].n - 1
	}
	for len(o.frames) > 0 && o.frames[0].upTo <= finished {
		f := o.frames[0]
		o.frames = o.frames[1:]
		if f.at.Seq >= o.origin { // before, the log may still turn out to be another one
			o.acked = f.at
		}
		o.env.Applied(f.at, f.clock)
	}
	if o.barrier && len(o.outbox) == 0 && o.halted == nil {
		o.capture()
	}
}

// Snapshot takes a snapshot as soon as every effect is acknowledged (C4). While replay has
// not given every effect that was in the log at the start the log may still turn out to be
// another one: a snapshot of that would not fit the right one when it is put back.
func (o *Owner) Snapshot() {
	if o.Shard.Applied().Seq < o.origin {
		return
	}
	if o.halted != nil || o.barrier || o.Shard.saving || !o.Shard.Changed() {
		return
	}
	o.barrier = true
	if len(o.outbox) == 0 {
		o.capture()
	}
}

func (o *Owner) capture() {
	b := o.Shard.Snapshot()
	o.saving = o.Shard.Meta()
	o.barrier = false
	o.env.Commit(b)
	held := o.held
	o.held = nil
	for i := range held {
		o.Frame(held[i])
	}
}

// Committed is the answer to Env.Commit.
func (o *Owner) Committed(err error) {
	if err != nil {
		o.Halt(err)
		return
	}
	o.saved = o.saving
	o.Shard.Saved()
}

// Halt stops the partition for good; only the first cause counts.
func (o *Owner) Halt(err error) {
	if o.halted == nil {
		o.halted = fmt.Errorf("partition %d: %w", o.Shard.config.Partition, err)
		o.env.Halt(o.halted)
	}
}

// View is a customer as people see it; nil when there is none.
func (o *Owner) View(workspace, customer string) (*view.Customer, error) {
	if err := o.fetch(workspace, customer); err != nil {
		return nil, err
	}
	c, _ := o.Shard.Customer(workspace, customer)
	if c == nil {
		return nil, nil //nolint:nilnil // no such customer
	}
	return view.New(c, o.recent.Of(workspace, customer)), nil
}

func (o *Owner) fetch(workspace, customer string) error {
	if o.halted != nil {
		return o.halted
	}
	if _, known := o.Shard.Customer(workspace, customer); known {
		return nil
	}
	return o.load([]string{Key(workspace, customer)})
}
