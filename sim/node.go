package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"github.com/nudge-engine/nudge/actors/recovery"
	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

const (
	credits      = 8   // frames in an owner's hands (C6), as in the shell
	readFaster   = 100 // reading is so much faster than the rest, else ticks pile up behind a slow replay
	restartPause = 5_000
	zombieLife   = 120_000
	crashWindow  = 240_000 // ms in which at most crashLimit crashes come, so that no timer is very late
	crashLimit   = 4
	// mostOwners is how many owners a world has before no more faults replace them: each
	// may read a log from its beginning, which makes a long world slow.
	mostOwners = 300
)

// node is one owner of a partition and what the shell keeps around it: the double
// of actors' host.
type node struct {
	w      *World
	p      *partition
	number int // of all owners of the partition
	host   int
	owner  *shard.Owner
	disk   *disk
	skips  control.Skips // that it was started with
	alive  bool
	end    uint64 // of the log when it began

	next      uint64 // frame to read
	unapplied int    // frames given to the owner and not yet applied
	shown     int64  // log time when last looked

	out        []message // to be stored, in order
	unanswered int       // stored, and the owner does not know
	storeAt    int64
	answerAt   int64
	batch      *storage.Batch // taken and not durable

	reading   bool
	snapping  bool
	ticks     bool // the current frame is only ticks
	wakeAt    int64
	lastFrame int64
	lastTick  int64
}

type message struct {
	n    uint64
	data []byte
}

// start runs a new owner on a host, with the host's disk; nil is an empty one. An
// owner is named after its host, so a restart is no other owner.
func (p *partition) start(host int, disk *disk) {
	if disk == nil {
		disk = p.w.newDisk()
	}
	p.started++
	p.w.owners++
	n := &node{w: p.w, p: p, number: p.started, host: host, disk: disk, alive: true, end: last(p.events)}
	n.skips = maps.Clone(p.skips)
	s := p.w.shard(p.number, p.w.opt.Memory, p.upgrade.runs)
	name := ""
	if p.w.opt.Claims {
		name = "node-" + strconv.Itoa(host)
	}
	n.owner = shard.NewOwner(s, name, n.env())
	err := n.recover(s)
	if errors.Is(err, errStore) {
		p.note(n, err)
		p.w.mark(reachStoreStart)
		if len(p.nodes) == 0 { // else the one that was to be replaced goes on
			p.host, p.disk = host, disk
			p.restart(host, disk)
		}
		return
	}
	if err != nil && p.noticed(err) {
		p.note(n, err)
		p.restore(host, disk)
		return
	}
	if errors.Is(err, shard.ErrSemantics) {
		p.refused(n, err)
		return
	}
	if err != nil {
		p.w.fail(fmt.Errorf("owner %d of partition %d does not start: %w", n.number, p.number, err))
		return
	}
	if p.wrong != nil && p.wrong.saved {
		p.w.fail(fmt.Errorf("partition %d starts, and the log lost what its snapshot has read", p.number))
	}
	p.nodes = append(p.nodes, n)
	if name != "" {
		claim := fmt.Sprintf(`{"node":%q,"epoch":%d}`, name, n.number)
		p.add(record{kind: stream.KindClaim, data: []byte(claim)})
	}
	n.next, n.shown = s.Applied().Seq+1, s.Now()
	p.w.note("owner %d.%d starts at %d", p.number, n.number, n.next)
	if n.next > 1 && last(p.events) >= n.next {
		p.w.mark(reachSomeDurable)
	}
	n.read()
	n.wake()
	p.w.sink.kick()
	p.w.collect.kick()
}

// note says why an owner does not start.
func (p *partition) note(n *node, err error) {
	p.w.note("owner %d.%d does not start: %v", p.number, n.number, err)
}

// recover does what the shell does at start (R7).
func (n *node) recover(shard *shard.Shard) error {
	ctx := context.Background()
	was, had := n.p.upgrade, n.disk.meta(n.p.number)
	n.p.takesOver(had)
	if err := recovery.TakeOver(ctx, n.disk, n.p.number, was.runs, n.p.events, n.p.effects); err != nil {
		return err
	}
	n.p.tookOver(had)
	if err := shard.Recover(n.disk); err != nil {
		return err
	}
	m := shard.Meta()
	if err := recovery.CheckEvents(ctx, n.p.events, m.Applied); err != nil {
		return err
	}
	if err := recovery.CheckEffects(ctx, n.p.effects, m.Emitted, m.LastHash); err != nil {
		return err
	}
	if err := recovery.CheckOrigin(ctx, n.p.events, n.p.effects); err != nil {
		return err
	}
	if err := shard.CheckStored(n.disk.Memory); err != nil {
		return err
	}
	return n.owner.Start()
}

func (n *node) tell(format string, args ...any) {
	n.w.note("owner %d.%d %s", n.p.number, n.number, fmt.Sprintf(format, args...))
}

// read plans the next frame, when there is one and a credit for it.
func (n *node) read() {
	if n.reading || !n.alive || n.unapplied >= credits || n.next > last(n.p.events) {
		return
	}
	n.reading = true
	n.w.after(n.w.delay()/readFaster, n.frame)
}

func (n *node) frame() {
	n.reading = false
	if !n.alive {
		return
	}
	m, err := n.p.events.Get(context.Background(), n.next)
	if err != nil {
		n.w.fail(err)
		return
	}
	in, err := shard.DecodeInput(m)
	if err != nil {
		n.w.fail(err)
		return
	}
	if n.poisoned(&in) {
		return
	}
	n.next++
	n.unapplied++
	n.probe(in)
	n.ticks = true
	for _, r := range in.Frame.Records {
		n.ticks = n.ticks && r.Kind == stream.KindTick
	}
	n.owner.Frame(in)
	n.p.erasing(&in)
	if !n.alive {
		return // it halted
	}
	n.lastFrame = n.w.now
	if n.owner.Shard.Applied().Seq < in.At.Seq {
		n.w.mark(reachBarrier)
	}
	n.tell("frame %d", in.At.Seq)
	n.look()
	if n.crashes(n.w.opt.CrashStep) {
		if len(n.out) > 0 {
			n.w.mark(reachUnstored)
		}
		n.crash()
		return
	}
	if n.p.wrong == nil && n.w.hit(n.w.opt.Failover) && len(n.p.nodes) == 1 &&
		n.w.owners < mostOwners {
		n.failover()
	}
	n.read()
	n.wake()
	n.snapshotLater()
}

// probe offers the shard frames that are not the next: nothing may come of it (C3).
func (n *node) probe(in shard.Input) {
	if n.w.rng.IntN(8) != 0 {
		return
	}
	before := n.owner.Shard.Meta()
	for _, seq := range []uint64{before.Applied.Seq, before.Applied.Seq + 2} {
		wrong, out := in, effect.Effects{}
		wrong.At.Seq = seq
		if _, err := n.owner.Shard.Step(&wrong, &out); !errors.Is(err, shard.ErrGap) || !out.Empty() {
			n.w.fail(fmt.Errorf("C3: partition %d at %d takes frame %d: %w", n.p.number, before.Applied.Seq, seq, err))
		}
	}
	if n.owner.Shard.Meta() != before {
		n.w.fail(fmt.Errorf("C3: partition %d changed by frames that are not the next", n.p.number))
	}
}

// look checks what must hold after each of an owner's steps.
func (n *node) look() {
	if !n.alive {
		return
	}
	shard := n.owner.Shard
	n.ticks = false
	n.w.fail(n.owner.Halted())
	n.w.fail(shard.Check())
	if shard.Now() < n.shown {
		n.w.fail(fmt.Errorf("log time of partition %d goes back from %d to %d", n.p.number, n.shown, shard.Now()))
	}
	n.shown = shard.Now()
	if k, hash := shard.Emitted(); k > 0 {
		n.p.computed(k, hash)
	}
	if n.unapplied > credits {
		n.w.fail(fmt.Errorf("C6: partition %d has %d frames under way", n.p.number, n.unapplied))
	}
}

// failover starts a second owner: on a copy of the disk, or on an empty one. The
// first does not know and goes on for a while.
func (n *node) failover() {
	disk := n.disk.clone()
	if n.w.rng.IntN(3) == 0 {
		disk = nil
	}
	n.tell("is replaced")
	n.p.start(n.p.started+1, disk)
	n.w.after(n.w.rng.Int64N(zombieLife), func() {
		if n.alive && len(n.p.nodes) > 1 {
			n.tell("ends")
			n.die()
		}
	})
}

// crashes draws a crash, within the bound on how often they come.
func (n *node) crashes(r Rate) bool {
	if !n.w.hit(r) || n.w.owners >= mostOwners {
		return false
	}
	recent := 0
	for _, at := range n.p.crashes {
		if at > n.w.now-crashWindow {
			recent++
		}
	}
	return recent < crashLimit
}

// crash ends an owner. What was on its way may arrive all the same.
func (n *node) crash() {
	arrive := n.w.rng.IntN(len(n.out) + 1)
	for _, e := range n.out[:arrive] {
		if n.store(e) == nil {
			n.unanswered++
		}
	}
	if n.unanswered > 0 {
		n.w.mark(reachAppend)
	}
	if n.owner.Shard.HasBulkScan() {
		n.w.mark(reachTourCrash)
		if n.w.opt.Burst {
			n.w.mark(reachSliceCrash)
		}
	}
	durable := false
	if n.batch != nil {
		n.w.mark(reachCommit)
		if durable = n.w.rng.IntN(2) == 0; durable {
			n.w.fail(n.disk.Memory.Commit(n.batch))
		}
	}
	n.tell("crashes; %d effects arrived, %d unanswered, snapshot %v durable %v", arrive, n.unanswered, n.batch != nil,
		durable)
	n.p.crashes = append(n.p.crashes, n.w.now)
	n.p.host, n.p.disk = n.host, n.disk
	n.die()
	if len(n.p.nodes) == 0 {
		n.p.rollBack(n.disk)
		n.p.restart(n.host, n.disk)
	}
}

// restart starts an owner some time later unless there is one by then.
func (p *partition) restart(host int, disk *disk) {
	p.w.after(p.w.rng.Int64N(restartPause), func() {
		if len(p.nodes) == 0 {
			p.start(host, disk)
		}
	})
}

// die takes an owner out.
func (n *node) die() {
	n.alive = false
	for i, other := range n.p.nodes {
		if other == n {
			n.p.nodes = append(n.p.nodes[:i:i], n.p.nodes[i+1:]...)
			return
		}
	}
}

// newest is the owner that questions go to, nil while there is none.
func (p *partition) newest() *node {
	if len(p.nodes) == 0 {
		return nil
	}
	return p.nodes[len(p.nodes)-1]
}
