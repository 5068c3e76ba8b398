package actors

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

// restartGuarded handles a panic p of the actor: it has the partition's shard rebuilt in
// guarded form, where the panic is contained when it recurs. If the shard was guarded
// already, the panic is not in the work on a customer, and the partition halts.
func (h *host) restartGuarded(p any) {
	h.log.Error("actors: panic", slog.Any("panic", p), slog.Bool("guarded", h.guarded),
		slog.String("stack", string(debug.Stack())))
	if h.guarded || h.e.reading.Err() != nil {
		h.owner.Halt(fmt.Errorf("actors: panic: %v", p))
		return
	}
	h.broken.Store(true)
	h.e.background.Go(h.replace)
}

// replace rebuilds the partition's shard from its snapshot and the log, in a new host.
// Effects that the old one had on their way into the effect stream are found there, as
// after a crash.
//
// The order matters: the reader and the commits under way end first, so that the snapshot
// that is loaded is the last one; the engine learns of the new host last, because a
// question to it needs its actor.
func (h *host) replace() {
	h.stopRead()
	<-h.ended
	h.commits.Wait()
	h.stopActor()
	fresh := newHost(h.e, h.partition, true)
	fresh.moved = h.moved
	failure := fresh.recover(h.e.reading)
	if h.e.reading.Err() != nil {
		// The engine has been stopped meanwhile.
		return
	}
	fresh.start(failure)
	h.e.hosts[h.partition].Store(fresh)
}

// stopActor ends the actor and waits until it has ended, for askLimit at most.
func (h *host) stopActor() {
	select {
	case <-h.e.actors.Poison(h.pid).Done():
	// Hollywood v1.0.5 never reports the end of an actor if a message behind the poison
	// pill panics.
	case <-time.After(askLimit):
	}
}
