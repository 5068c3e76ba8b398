package sim

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/storage"
)

// replaySnapshots is how many frames a replay applies between two snapshots.
const replaySnapshots = 7

// replays folds the log from its first record, with the other limit of memory,
// and compares every effect message and the last state (C1).
func (p *partition) replays(h *history) error {
	limit := int64(1)
	if p.w.opt.Memory > 0 {
		limit = 0
	}
	shard, disk := p.w.shard(p.number, limit, effect.Semantics), storage.NewMemory()
	next := 0
	for i := range h.frames {
		if p.upgrade.done && h.frames[i].At.Seq == p.upgrade.at+1 {
			var err error
			if shard, err = p.upgraded(shard, disk, limit); err != nil {
				return err
			}
		}
		err := p.fold(shard, disk, &h.frames[i], func(n uint64, data []byte) error {
			if next >= len(h.raw) || !bytes.Equal(h.raw[next], data) {
				return fmt.Errorf("%w: frame %d, effect message %d", errReplay, h.frames[i].At.Seq, n)
			}
			next++
			return nil
		})
		if err != nil {
			return err
		}
		if i%replaySnapshots == 0 || i == len(h.frames)-1 {
			if err := disk.Commit(shard.Snapshot()); err != nil {
				return err
			}
			shard.Saved()
		}
	}
	got, want := shard.Meta(), p.newest().owner.Saved()
	if p.upgrade.done && p.upgrade.at == want.Applied.Seq { // nothing came since
		got.Semantics = p.upgrade.runs
	}
	if got != want {
		return fmt.Errorf("%w: state %+v, the owner's is %+v", errReplay, got, want)
	}
	return nil
}

// upgraded is the shard under the next semantics.
func (p *partition) upgraded(s *shard.Shard, disk *storage.Memory, limit int64) (*shard.Shard, error) {
	b := s.Snapshot()
	m := s.Meta()
	m.Semantics = p.upgrade.runs
	b.Set(storage.MetaKey(p.number), m.Encode())
	if err := disk.Commit(b); err != nil {
		return nil, err
	}
	next := p.w.shard(p.number, limit, p.upgrade.runs)
	return next, next.Recover(disk)
}

// fold applies one frame and gives its effect messages to emit.
func (p *partition) fold(
	s *shard.Shard,
	disk *storage.Memory,
	in *shard.Input,
	emit func(n uint64, data []byte) error,
) error {
	for done := false; !done; {
		if workspace, after, n, wanted := s.BulkScanPage(); wanted {
			ids, err := storage.CustomersAfter(disk, p.number, workspace, after, n)
			if err != nil {
				return err
			}
			s.SetBulkScanPage(ids)
		}
		for _, key := range s.Needs(in) {
			workspace, id, _ := strings.Cut(key, "\x00")
			v, err := disk.Get(storage.CustomerKey(p.number, workspace, id))
			if err == nil && v == nil {
				continue
			}
			if err == nil {
				err = s.Load(key, v)
			}
			if err != nil {
				return err
			}
		}
		var out effect.Effects
		var err error
		if done, err = s.Step(in, &out); err != nil {
			return err
		}
		s.Encode(&out, func(n uint64, data []byte) {
			if err == nil {
				err = emit(n, data)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}
