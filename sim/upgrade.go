package sim

import (
	"fmt"
	"slices"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/storage"
)

// upgradePause is the time between two looks at a partition that drains, ms.
const upgradePause = 200

// upgrade is a partition's way to a program of another semantics (R1).
type upgrade struct {
	runs     uint64 // semantics of the programs that are started
	draining bool   // nothing is published meanwhile
	done     bool
	at       uint64 // last frame that the old program computed
	effect   uint64 // its last effect message
	// drained are the snapshots that starts of the next semantics found drained, which they may mark.
	drained []shard.Meta
}

// tryUpgrade replaces the owner by one of the next semantics: when the old one has
// drained, or suddenly, when it mostly is refused and the old one comes back.
func (p *partition) tryUpgrade() {
	if p.upgrade.done || p.upgrade.runs != effect.Semantics {
		return
	}
	if len(p.nodes) != 1 || len(p.w.ctl) > 0 && p.nodes[0].owner.Shard.Control() == 0 {
		p.w.after(upgradePause, p.tryUpgrade)
		return
	}
	if !p.upgrade.draining && p.w.rng.IntN(2) == 0 {
		p.swap()
		return
	}
	n := p.nodes[0]
	p.upgrade.draining = true
	if shard := n.owner.Shard; p.inFlight || shard.Applied().Seq != last(p.events) || n.owner.Busy() ||
		n.owner.Saved() != shard.Meta() {
		n.owner.Snapshot()
		n.look()
		p.w.after(upgradePause, p.tryUpgrade)
		return
	}
	p.swap()
}

// swap ends the owner and starts one of the next semantics on its disk.
func (p *partition) swap() {
	n := p.nodes[0]
	p.upgrade.runs = effect.Semantics + 1
	n.tell("is to be upgraded")
	n.die()
	p.start(n.host, n.disk)
	if p.upgrade.runs == effect.Semantics { // refused
		p.w.after(p.w.rng.Int64N(restartPause), p.tryUpgrade)
	}
	p.upgrade.draining = false
	p.send()
}

// meta is what the disk's snapshot says, the zero value without one.
func (d *disk) meta(partition int) (m shard.Meta) {
	b, err := d.Memory.Get(storage.MetaKey(partition))
	if err == nil && b != nil {
		m, err = shard.DecodeMeta(b)
	}
	d.w.fail(err)
	return m
}

// drained says whether a snapshot stands at the end of the log with all effects out.
func (p *partition) drained(m shard.Meta) bool {
	return m.Applied.Seq == last(p.events) && m.Emitted == last(p.effects)
}

// takesOver notes the snapshot with which a start of the next semantics begins, if it has drained.
func (p *partition) takesOver(had shard.Meta) {
	if u := &p.upgrade; u.runs != effect.Semantics && had.Semantics == effect.Semantics && p.drained(had) {
		u.drained = append(u.drained, had)
	}
}

// tookOver checks that a partition goes on under the next semantics only where the
// one before had drained, or had done nothing that can be seen. had is the snapshot
// before.
func (p *partition) tookOver(had shard.Meta) {
	u := &p.upgrade
	if u.runs == effect.Semantics || u.done {
		return
	}
	if !p.mayTakeOver(had) {
		p.w.fail(fmt.Errorf("partition %d goes on under semantics %d with a snapshot of semantics %d, frame %d, "+
			"effect %d; the log has %d and %d",
			p.number, u.runs, had.Semantics, had.Applied.Seq, had.Emitted, last(p.events), last(p.effects)))
	}
	u.done, u.at, u.effect = true, had.Applied.Seq, had.Emitted
	p.hashes = p.hashes[:min(uint64(len(p.hashes)), last(p.effects)+1)]
	p.w.mark(reachUpgraded)
}

// mayTakeOver reports whether the next semantics may go on with a snapshot. One that is marked with it
// already is of a start whose answer the store lost: it had drained then, and nothing was computed since,
// although frames may have come.
func (p *partition) mayTakeOver(had shard.Meta) bool {
	switch had.Semantics {
	case p.upgrade.runs:
		had.Semantics = effect.Semantics
		return slices.Contains(p.upgrade.drained, had) && last(p.effects) == had.Emitted
	case 0: // there is none
		return last(p.effects) == 0 || p.drained(had)
	default:
		return p.drained(had)
	}
}

// refused is a start that another semantics forbids. Only a partition that has not
// drained, or a disk without its snapshot, may be refused.
func (p *partition) refused(n *node, err error) {
	p.note(n, err)
	p.w.mark(reachRefused)
	m := n.disk.meta(p.number)
	switch {
	case p.upgrade.done && m.Semantics != p.upgrade.runs && last(p.effects) > 0:
		if len(p.nodes) == 0 {
			p.w.fail(fmt.Errorf("partition %d: %w", p.number, err))
		}
	case p.upgrade.done || p.upgrade.runs == effect.Semantics || p.drained(m):
		p.w.fail(fmt.Errorf("partition %d has drained: %w", p.number, err))
	default: // the old program goes on
		p.upgrade.runs = effect.Semantics
		p.host, p.disk = n.host, n.disk
		p.restart(n.host, n.disk)
	}
}

// semantics: each effect message says by which semantics it was computed.
func (p *partition) semantics(h *history) error {
	for i := range h.messages {
		want := uint64(effect.Semantics)
		if p.upgrade.done && h.messages[i].N > p.upgrade.effect {
			want++
		}
		if got := h.messages[i].Semantics; got != want {
			return fmt.Errorf("effect message %d says semantics %d; it was computed by %d", h.messages[i].N, got, want)
		}
	}
	return nil
}
