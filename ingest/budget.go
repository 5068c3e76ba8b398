package ingest

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/time/rate"
)

// Bytes of bodies that may be in memory at a time, in all and of one client address. Those
// without a write key in the head have room of their own, so that strangers cannot take the
// room of senders. The largest body has 500 KiB, and may be held twice while it is
// decompressed.
const (
	bodyBytes           = 64 << 20
	bodyBytesPerAddress = 32 << 20
	keylessBytes        = 8 << 20
	keylessPerAddress   = 2 << 20
)

// budget bounds bytes in memory, in all and by client address. It is safe for concurrent use.
type budget struct {
	total, perAddress int

	mu sync.Mutex
	// used is the sum of by, which has only addresses that hold something.
	used int
	by   map[string]int
}

// newBudget returns a budget of bytes of which nothing is used.
func newBudget(total, perAddress int) *budget {
	return &budget{total: total, perAddress: perAddress, by: map[string]int{}}
}

// holding is what one request has of a budget. It belongs to one goroutine, and must be
// released.
type holding struct {
	of      *budget
	address string
	bytes   int
}

// take takes n more bytes, or returns why there is no room: 429 when the client's address has
// too much already, else 503.
func (h *holding) take(n int) *problem {
	b := h.of
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	// The address first: a client that has too much under way should be told so, and not that
	// the server is busy.
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

// release gives everything back. It may be called again.
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

// strangers bounds how often a client address is told that its key is unknown, so that keys
// cannot be guessed. It is safe for concurrent use.
type strangers struct {
	seed maphash.Seed
	// by has a limiter for each hash of addresses. The size is fixed, however many addresses
	// call; those that share a limiter share its bound.
	by [1024]*rate.Limiter
}

// Refusals of unknown keys a second and client address. A key has 16 bytes or more, which are
// not found at that rate; a client with a wrong key still learns what is wrong.
const (
	strangersRate  = 10
	strangersBurst = 100
)

// newStrangers returns limiters that are all full.
func newStrangers() *strangers {
	s := &strangers{seed: maphash.MakeSeed()}
	for i := range s.by {
		s.by[i] = rate.NewLimiter(strangersRate, strangersBurst)
	}
	return s
}

// refused counts a refusal and reports whether the address may be told; false when it had too
// many.
func (s *strangers) refused(address string) bool {
	return s.by[maphash.String(s.seed, address)%uint64(len(s.by))].AllowN(time.Now(), 1)
}

// What is kept of refused calls of batches, for each key and minute: enough to find out what
// is wrong with a client, and too little for it to fill the log. More is counted only.
const (
	keptRejects     = 1_000
	keptRejectBytes = 1 << 20
)

// rejectsKept bounds the refused calls that are written to the log, of one key. It is safe for
// concurrent use.
type rejectsKept struct {
	mu sync.Mutex
	// minute is the current one, since 1970; calls and bytes are what was kept in it.
	minute int64
	calls  int
	bytes  int
}

// room takes room for a refused call of size bytes in the minute of now (ms), and reports
// whether there was any.
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
