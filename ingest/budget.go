package ingest

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/time/rate"
)

// Bytes of bodies that may be in memory at a time, in all and of one client address. Those
// without a write key in the head have room of their own.
const (
	bodyBytes           = 64 << 20
	bodyBytesPerAddress = 32 << 20
	keylessBytes        = 8 << 20
	keylessPerAddress   = 2 << 20
)

// budget bounds bytes in memory.
type budget struct {
	total, perAddress int

	mu   sync.Mutex
	used int
	by   map[string]int
}

func newBudget(total, perAddress int) *budget {
	return &budget{total: total, perAddress: perAddress, by: map[string]int{}}
}

// holding is what one request has of a budget. It belongs to one goroutine.
type holding struct {
	of      *budget
	address string
	bytes   int
}

// take takes n more bytes, or says why not.
func (h *holding) take(n int) *problem {
	b := h.of
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.by[h.address]+n > b.perAddress:
		p := newProblem(fasthttp.StatusTooManyRequests, "too_many_bodies",
			"too many bodies of this client address are under way; send fewer at a time")
		p.retryAfter = 1
		return p
	case b.used+n > b.total:
		return unavailable("busy", "too many bodies are under way")
	}
	b.used += n
	b.by[h.address] += n
	h.bytes += n
	return nil
}

// release gives everything back.
func (h *holding) release() {
	if h.bytes == 0 {
		return
	}
	b := h.of
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= h.bytes
	if b.by[h.address] -= h.bytes; b.by[h.address] <= 0 {
		delete(b.by, h.address)
	}
	h.bytes = 0
}

// strangers bounds how often a client address is told that its key is unknown.
type strangers struct {
	seed maphash.Seed
	by   [1024]*rate.Limiter // by hash: a fixed size, no matter how many callers
}

// Refusals of unknown keys a second and client address.
const (
	strangersRate  = 10
	strangersBurst = 100
)

func newStrangers() *strangers {
	s := &strangers{seed: maphash.MakeSeed()}
	for i := range s.by {
		s.by[i] = rate.NewLimiter(strangersRate, strangersBurst)
	}
	return s
}

// refused counts a refusal; false when the address had too many.
func (s *strangers) refused(address string) bool {
	return s.by[maphash.String(s.seed, address)%uint64(len(s.by))].AllowN(time.Now(), 1)
}

// What is kept of refused calls of batches, a key and minute. More is counted only.
const (
	keptRejects     = 1_000
	keptRejectBytes = 1 << 20
)

// rejectsKept bounds the refused calls that are written to the log, of one key.
type rejectsKept struct {
	mu     sync.Mutex
	minute int64
	calls  int
	bytes  int
}

// room says whether a refused call of that size may be kept in this minute.
func (k *rejectsKept) room(now int64, size int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if minute := now / time.Minute.Milliseconds(); minute != k.minute {
		k.minute, k.calls, k.bytes = minute, 0, 0
	}
	if k.calls >= keptRejects || k.bytes+size > keptRejectBytes {
		return false
	}
	k.calls++
	k.bytes += size
	return true
}
