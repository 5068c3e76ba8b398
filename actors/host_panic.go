package actors

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

// restartGuarded begins anew, guarded, or halts the partition where that was tried.
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

// replace makes the partition's shard anew from its snapshot and the log. What the old
// one has on its way into the effect stream is found there, as after a crash.
func (h *host) replace() {
	h.stopRead()
	<-h.ended
	h.commits.Wait()
	h.stopActor()
	fresh := newHost(h.e, h.partition, true)
	fresh.moved = h.moved
	failure := fresh.recover(h.e.reading)
	if h.e.reading.Err() != nil {
		return // it is stopped meanwhile
	}
	fresh.start(failure)
	h.e.hosts[h.partition].Store(fresh) // not before: who asks it needs its actor
}

// stopActor ends the actor.
func (h *host) stopActor() {
	select {
	case <-h.e.actors.Poison(h.pid).Done():
	case <-time.After(askLimit): // v1.0.5 never ends it when a message behind the pill panics
	}
}
