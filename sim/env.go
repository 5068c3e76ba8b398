package sim

import (
	"context"
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// env is what the owner needs done; answers come later.
func (n *node) env() shard.Env {
	return shard.Env{
		Epoch: uint64(n.number),
		Append: func(k uint64, data []byte) {
			if r := n.p.wrong; r != nil && r.applies(n) {
				n.w.fail(fmt.Errorf("partition %d makes effect %d from a log that lost what was read", n.p.number, k))
			}
			n.p.computed(k, xxhash.Sum64(data))
			n.out = append(n.out, message{n: k, data: data})
			n.storeAt = max(n.storeAt, n.w.now+n.w.delay())
			n.w.at(n.storeAt, n.storeNext)
		},
		LastEffect: func() (uint64, error) {
			if n.next > 0 && n.w.hit(n.w.opt.FxUnseen) { // next is set when the owner runs
				return 0, errLost
			}
			return last(n.p.effects), nil
		},
		EffectHash: func(k uint64) (uint64, error) {
			if n.owner.Shard.Applied().Seq <= n.end {
				n.w.mark(reachFound)
			}
			m, err := n.p.effects.Get(context.Background(), k)
			return xxhash.Sum64(m.Data), err
		},
		EffectFrame: n.p.effectFrame,
		Load: func(workspace, id string) ([]byte, error) {
			v, err := n.disk.Get(storage.CustomerKey(n.p.number, workspace, id))
			if v != nil && n.ticks {
				n.w.mark(reachWoken)
			}
			return v, err
		},
		Keys: func(workspace, after string, count int) ([]string, error) {
			return storage.CustomersAfter(n.disk, n.p.number, workspace, after, count)
		},
		Commit: n.commit,
		Retry: func() {
			n.w.after(retryPause, func() {
				if n.alive {
					n.tell("resumes")
					n.owner.Resume()
					n.look()
				}
			})
		},
		Applied: func(at shard.Position, _ int64) {
			n.unapplied--
			n.tell("acknowledged %d", at.Seq)
			n.read()
			n.w.collect.kick()
		},
		Halt: n.halts,
	}
}

// halts is the end of an owner's work for a reason.
func (n *node) halts(err error) {
	if errors.Is(err, shard.ErrTakenOver) && n.p.newest() != n {
		n.tell("gives up: %v", err)
		n.die()
		return
	}
	if errors.Is(err, shard.ErrTakenOver) { // and the one that took over is dead already
		n.tell("gives up: %v", err)
		n.crash()
		return
	}
	if n.p.noticed(err) {
		n.tell("halts: %v", err)
		n.die()
		n.p.restore(n.host, n.disk)
		return
	}
	if errors.Is(err, errStore) { // a person restarts it
		n.tell("halts: %v", err)
		n.w.mark(reachStore)
		n.crash()
		return
	}
	n.w.fail(err)
}

// effectFrame is the log sequence of the frame that made effect message k.
func (p *partition) effectFrame(k uint64) (uint64, error) {
	raw, err := p.effects.Get(context.Background(), k)
	if err != nil {
		return 0, err
	}
	m, err := effect.DecodeMessage(raw.Data)
	return m.Seq, err
}

// computed compares what owners made of the same message number (C2).
func (p *partition) computed(k, hash uint64) {
	if p.wrong != nil {
		return
	}
	for uint64(len(p.hashes)) <= k {
		p.hashes = append(p.hashes, 0)
	}
	if p.hashes[k] == 0 {
		p.hashes[k] = hash
	}
	if p.hashes[k] != hash {
		p.w.fail(fmt.Errorf("C2: effect message %d of partition %d was computed as %016x and now %016x", k, p.number,
			p.hashes[k], hash))
	}
}

// store appends an effect message to the log.
func (n *node) store(e message) (err error) {
	n.p.effects.Append(stream.Append{Data: e.data, Conditional: true, After: e.n - 1}, func(_ uint64, failed error) {
		err = failed
	})
	if err != nil {
		return err
	}
	m, err := effect.DecodeMessage(e.data)
	if err != nil || m.N != e.n {
		n.w.fail(fmt.Errorf("C2: effect message %d of partition %d reads as %d: %w", e.n, n.p.number, m.N, err))
	}
	n.p.computed(e.n, xxhash.Sum64(e.data))
	n.w.sink.kick()
	return nil
}

// storeNext stores the oldest effect on its way and plans the answer.
func (n *node) storeNext() {
	if !n.alive {
		return
	}
	e := n.out[0]
	n.out = n.out[1:]
	err := errLost
	if !n.w.hit(n.w.opt.FxRefused) {
		err = n.store(e)
	}
	if err == nil {
		n.unanswered++
	}
	n.tell("FX_%d %d: %v", n.p.number, e.n, err)
	if errors.Is(err, stream.ErrWrongLast) && len(n.p.nodes) > 1 {
		n.w.mark(reachZombie)
	}
	if n.crashes(n.w.opt.CrashStored) {
		n.crash()
		return
	}
	stored := err == nil
	if stored && n.w.hit(n.w.opt.FxLied) {
		err = errLost
	}
	n.answerAt = max(n.answerAt, n.w.now+n.w.delay())
	n.w.at(n.answerAt, func() { n.answer(stored, err) })
}

func (n *node) answer(stored bool, err error) {
	if !n.alive {
		return
	}
	if stored {
		n.unanswered--
	}
	n.owner.Appended(err)
	if !n.alive {
		return // it halted
	}
	n.look()
	if n.crashes(n.w.opt.CrashAnswer) {
		n.crash()
		return
	}
	n.wake()
}

// snapshotLater plans a snapshot, as the shell does every so often.
func (n *node) snapshotLater() {
	if n.snapping {
		return
	}
	n.snapping = true
	n.w.after(n.w.opt.Snapshots, func() {
		n.snapping = false
		if n.alive {
			n.owner.Snapshot()
			n.look()
		}
	})
}

// commit makes a snapshot durable some time later (C4).
func (n *node) commit(b *storage.Batch) {
	if k, _ := n.owner.Shard.Emitted(); last(n.p.effects) < k || len(n.out) > 0 {
		n.w.fail(fmt.Errorf("C4: snapshot of partition %d at effect %d, of which %d are in the log and %d on their way",
			n.p.number, k, last(n.p.effects), len(n.out)))
	}
	n.batch = b
	n.tell("snapshot at %d", n.owner.Shard.Applied().Seq)
	n.w.after(n.w.delay(), func() {
		if !n.alive {
			return
		}
		if n.crashes(n.w.opt.CrashTaken) {
			n.crash()
			return
		}
		err := n.disk.Commit(b)
		n.batch = nil
		if n.crashes(n.w.opt.CrashSaved) {
			n.w.mark(reachSaved)
			n.crash()
			return
		}
		n.w.after(n.w.delay(), func() { n.committed(err) })
	})
}

func (n *node) committed(err error) {
	if !n.alive {
		return
	}
	n.owner.Committed(err)
	if err != nil {
		if n.alive {
			n.w.fail(fmt.Errorf("partition %d goes on after a snapshot that failed", n.p.number))
		}
		return
	}
	n.tell("snapshot durable")
	n.look()
	shard := n.owner.Shard
	n.w.fail(shard.CheckStored(n.disk.Memory))
	n.w.fail(n.forgot())
	if c := shard.MemoryStats(); n.w.opt.Memory > 0 && c.Bytes > n.w.opt.Memory && c.Loaded > c.Dirty {
		n.w.fail(
			fmt.Errorf("memory: partition %d has %d bytes, may have %d; %d customers, %d dirty", n.p.number, c.Bytes,
				n.w.opt.Memory, c.Loaded, c.Dirty),
		)
	}
	n.read()
	n.wake()
}

// wake plans a look at the timers: when the next one is due by the writer's clock.
func (n *node) wake() {
	due := n.owner.Shard.NextDue()
	if due == 0 || !n.alive {
		return
	}
	at := max(n.w.now+due-n.w.clock.read(n.w), n.w.now, n.lastFrame+n.w.opt.Tick, n.lastTick+n.w.opt.Tick)
	if n.w.now < n.w.clock.until && due > n.w.clock.still {
		at = max(at, n.w.clock.until)
	}
	if n.wakeAt >= n.w.now && n.wakeAt <= at && n.wakeAt != 0 {
		return
	}
	n.wakeAt = at
	n.w.at(at, func() {
		if n.alive && n.wakeAt == at {
			n.wakeAt = 0
			n.tick()
		}
	})
}

// tick appends a tick when a timer is due and no frame came for a while (R8).
func (n *node) tick() {
	due := n.owner.Shard.NextDue()
	if due == 0 {
		return
	}
	quiet := n.w.now >= n.lastFrame+n.w.opt.Tick && n.w.now >= n.lastTick+n.w.opt.Tick
	if !quiet || n.w.clock.read(n.w) < due {
		n.wake()
		return
	}
	n.lastTick = n.w.now
	n.p.add(record{kind: stream.KindTick})
}
