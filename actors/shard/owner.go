package shard

import (
	"errors"
	"fmt"
	"strings"

	"github.com/nudge-engine/nudge/actors/shard/view"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/storage"
)

// Errors for which a partition halts: to go on could lose or double something, so a
// person has to look.
var (
	// ErrContinuity reports that the streams are not those that the snapshot was computed
	// from: a tail was lost, or another log was put in their place.
	ErrContinuity = errors.New("actors: the log is not the one this state was computed from")
	// ErrDiverged reports that a frame gave another effect message than in an earlier
	// run: Step was not deterministic, or another program ran.
	ErrDiverged = errors.New("actors: an effect message differs from the one in the log")
	// ErrTakenOver reports that an owner with a later epoch runs the partition; this
	// process is a zombie.
	ErrTakenOver = errors.New("actors: another owner claimed the partition")
)

// Env is what an Owner needs from outside. The goroutine that calls the owner calls these
// functions. Append, Commit and Retry must return at once: they answer later, through a
// method of the owner, never from inside the call.
type Env struct {
	// Epoch is the epoch of this owner's claim. A claim in the log with a larger one, by
	// another node, ends the owner.
	Epoch uint64
	// Append stores effect message n if n-1 is the last of the effect stream; the answer
	// is a call of Appended. Several may be under way; answers come in the order of the
	// calls.
	Append func(n uint64, data []byte)
	// LastEffect returns the last sequence of the effect stream, 0 if it is empty.
	LastEffect func() (uint64, error)
	// EffectHash returns the XXH64 of effect message n as it is stored.
	EffectHash func(n uint64) (uint64, error)
	// EffectFrame returns the log sequence of the frame that made effect message n.
	EffectFrame func(n uint64) (uint64, error)
	// Load returns the stored value of a customer, nil if there is none.
	Load func(workspace, id string) ([]byte, error)
	// Keys returns the ids of the first n stored customers of a workspace after the id
	// after, in byte order.
	Keys func(workspace, after string, n int) ([]string, error)
	// Commit makes a snapshot durable; the answer is a call of Committed.
	Commit func(b *storage.Batch)
	// Retry arranges for a call of Resume after a pause.
	Retry func()
	// Applied reports that the frame at in is applied and its effects are acknowledged;
	// now is the log time after it, ms. The frame's credit may be given back.
	Applied func(in Position, now int64)
	// Halt reports that the partition stops for good, and why. It is called once.
	Halt func(err error)
}

// Owner drives one shard and keeps the order of its duties: effects are appended in their
// order, each once; frames are reported as applied when their effects are acknowledged; a
// snapshot waits until all effects are. It does no I/O of its own, and its methods must
// be called by one goroutine at a time.
//
// Effects are numbered, and the append of number n succeeds only behind n-1. So after a
// crash, or when an answer was lost, the owner looks how far the effect stream reaches,
// compares the hashes of what is there with what it computed again, and appends the rest.
// Nothing is appended twice, and a zombie can only append what its successor would have.
type Owner struct {
	// Shard may be asked by the goroutine that calls the owner, but only the owner
	// advances it.
	Shard *Shard
	env   Env
	node  string // name of this owner in claims

	outbox  []emitted      // emitted and not acknowledged, oldest first
	sent    int            // how many of the outbox are in flight
	failed  bool           // an append failed: no more until all in flight are answered
	have    uint64         // the effect stream reached up to this message when last looked, or acknowledged since
	found   uint64         // last effect message in the stream at the start
	origin  uint64         // sequence of the frame that made message found; 0: replay makes none of them
	frames  []applied      // applied, and some of their effects are not acknowledged yet
	acked   Position       // the last frame whose effects are all acknowledged
	barrier bool           // a snapshot waits for the outbox to empty
	held    []Input        // frames that came while the barrier was up
	saved   Meta           // describes the last durable snapshot
	saving  Meta           // describes the snapshot under way
	halted  error          // why the partition stopped; nil while it runs
	out     effect.Effects // of the current Step; its memory is used again
	recent  view.Recent    // the last decisions, to be shown
	refused uint64         // events of erased customers that were dropped since the start
}

// emitted is an effect message that is not acknowledged yet.
type emitted struct {
	n    uint64
	data []byte
}

// applied is a frame that the shard has applied.
type applied struct {
	at    Position
	upTo  uint64 // number of the last effect message when it was applied
	clock int64  // log time after it, ms
}

// NewOwner returns an owner that drives shard for node, the name it has in claims.
func NewOwner(shard *Shard, node string, env Env) *Owner {
	return &Owner{Shard: shard, node: node, env: env}
}

// Start prepares the owner after its shard was recovered and before the first frame. The
// caller has checked that both streams fit the snapshot. It notes how many effect
// messages are in the stream already: replay must give them again.
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

// Acked returns the last frame whose effects are all acknowledged. After a start it stays
// at the snapshot until replay has given every effect that is in the stream; before, the
// log may still turn out to be another one.
func (o *Owner) Acked() Position { return o.acked }

// Saved returns the description of the last durable snapshot.
func (o *Owner) Saved() Meta { return o.saved }

// Halted returns why the partition stopped, nil while it runs.
func (o *Owner) Halted() error { return o.halted }

// Busy reports whether something is not finished: effects without an acknowledgement,
// frames that wait, or a snapshot.
func (o *Owner) Busy() bool {
	return len(o.outbox) > 0 || len(o.held) > 0 || o.Shard.changes.underWay() || o.barrier
}

// Frame applies the next frame, or keeps it while a snapshot waits for acknowledgements.
// The caller bounds how many frames it gives before they are reported as Applied (C6). A
// halted owner ignores it.
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

// apply steps the shard through one frame. Before each Step it loads what the Step needs;
// after the last it checks that the frame gave at least the effects that are known to
// come from it, and then starts to append.
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
	// The stream has more effects of frames up to here than were computed now: the state
	// or the log is not the one that they were computed from.
	if in.At.Seq >= o.origin && n < o.found {
		o.Halt(fmt.Errorf("%w: after frame %d there are %d effect messages, and the log has %d of it", ErrContinuity,
			in.At.Seq, n, o.found))
		return
	}
	o.frames = append(o.frames, applied{at: in.At, upTo: n, clock: o.Shard.Now()})
	// Another owner goes on from here.
	if claim := o.Shard.Claim(); claim.Node != o.node && claim.Epoch > o.env.Epoch {
		o.Halt(fmt.Errorf("%w: %s", ErrTakenOver, claim.Node))
		return
	}
	o.Passivate()
	o.flushOutbox()
}

// passivateSlice is how many customers one call of Passivate looks at. It is called after
// each frame, so it must take no noticeable time.
const passivateSlice = 128

// Passivate keeps some of the customers who were not used lately as bytes, which take a
// third of the memory. A halted owner does nothing.
func (o *Owner) Passivate() {
	if o.halted == nil {
		o.Shard.Passivate(passivateSlice)
	}
}

// page gives a bulk scan the next keys of the store if it wants some.
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

// load reads customers from the store into the shard.
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

// flushOutbox appends the messages that are neither in the stream nor under way. Of a
// message that is in the stream it compares the hash instead, and halts if it differs.
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

// Appended is the answer to Env.Append, in the order of the calls. After a failure
// nothing more is appended until all calls under way are answered, because each of them
// depends on the one before; then Resume finds out how far the stream reaches.
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

// Resume goes on after a failure, when no append is under way: it asks how far the effect
// stream reaches, halts if acknowledged messages are gone, and appends the rest again.
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

// advanceAcked reports the frames whose effects are now all acknowledged, and takes the
// snapshot that waited for that.
func (o *Owner) advanceAcked() {
	finished, _ := o.Shard.Emitted()
	if len(o.outbox) > 0 {
		finished = o.outbox[0].n - 1
	}
	for len(o.frames) > 0 && o.frames[0].upTo <= finished {
		f := o.frames[0]
		o.frames = o.frames[1:]
		// Before that frame the log may still turn out to be another one.
		if f.at.Seq >= o.origin {
			o.acked = f.at
		}
		o.env.Applied(f.at, f.clock)
	}
	if o.barrier && len(o.outbox) == 0 && o.halted == nil {
		o.capture()
	}
}

// Snapshot takes a snapshot as soon as every effect is acknowledged (C4), if something
// changed and none is under way.
//
// It takes none while replay has not given every effect that was in the stream at the
// start. Until then the log may turn out to be the wrong one; a snapshot of it would not
// fit the right one when that is put back.
func (o *Owner) Snapshot() {
	if o.Shard.Applied().Seq < o.origin {
		return
	}
	if o.halted != nil || o.barrier || o.Shard.changes.underWay() || !o.Shard.Changed() {
		return
	}
	o.barrier = true
	if len(o.outbox) == 0 {
		o.capture()
	}
}

// capture takes the snapshot, hands it out to be committed, and applies the frames that
// came while it waited. The batch has copies, so they cannot change it.
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

// Committed is the answer to Env.Commit. The partition halts if the store failed.
func (o *Owner) Committed(err error) {
	if err != nil {
		o.Halt(err)
		return
	}
	o.saved = o.saving
	o.Shard.Saved()
}

// Halt stops the partition for good. Only the first cause counts; what is under way is
// ignored.
func (o *Owner) Halt(err error) {
	if o.halted == nil {
		o.halted = fmt.Errorf("partition %d: %w", o.Shard.config.Partition, err)
		o.env.Halt(o.halted)
	}
}

// View returns a customer as people see it, nil if there is none. It loads the customer
// if needed.
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

// fetch brings a customer into memory, if they exist.
func (o *Owner) fetch(workspace, customer string) error {
	if o.halted != nil {
		return o.halted
	}
	if _, known := o.Shard.Customer(workspace, customer); known {
		return nil
	}
	return o.load([]string{Key(workspace, customer)})
}
