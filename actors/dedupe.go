package actors

import (
	"fmt"

	"github.com/cespare/xxhash/v2"

	"github.com/nudge-engine/nudge/internal/wire"
)

const (
	dedupeWindow    = 24 * 3600 * 1000 // ms of log time
	dedupeChunkSize = 4096             // ids a chunk; 32 KiB stored
	// DefaultDedupeIDs is how many ids a partition remembers unless a control
	// record says otherwise (R15).
	DefaultDedupeIDs = 1 << 21
)

// dedupe is the exact set of event ids that a partition saw lately: 64-bit
// hashes of (workspace, customer, message id), forgotten in log order, a chunk
// at a time, when a whole chunk is older than the window or the set is larger
// than its limit.
type dedupe struct {
	seen   idSet
	chunks []*dedupeChunk // oldest first; the last one grows
	limit  int
	first  uint64 // number of chunks[0]
	gone   []uint64
}

type dedupeChunk struct {
	from, to int64 // log time of its first and last id, ms
	ids      []uint64
	dirty    bool // changed since the last snapshot
}

func newDedupe() dedupe {
	return dedupe{limit: DefaultDedupeIDs}
}

// eventHash is the identity of an event within its partition.
func eventHash(workspace, customer, id string) uint64 {
	var d xxhash.Digest
	d.Reset()
	_, _ = d.WriteString(workspace) // never fails
	_, _ = d.Write([]byte{0})
	_, _ = d.WriteString(customer)
	_, _ = d.Write([]byte{0})
	_, _ = d.WriteString(id)
	return d.Sum64()
}

// add remembers id at now and says whether it is new.
func (d *dedupe) add(id uint64, now int64) bool {
	if !d.seen.add(id) {
		return false
	}
	if n := len(d.chunks); n == 0 || len(d.chunks[n-1].ids) == dedupeChunkSize {
		d.chunks = append(d.chunks, &dedupeChunk{from: now})
	}
	c := d.chunks[len(d.chunks)-1]
	c.ids = append(c.ids, id)
	c.to, c.dirty = now, true
	return true
}

// evict forgets chunks that are over the window or the limit.
func (d *dedupe) evict(now int64) {
	for len(d.chunks) > 1 {
		c := d.chunks[0]
		if c.to > now-dedupeWindow && d.seen.len() <= d.limit {
			return
		}
		for _, id := range c.ids {
			d.seen.remove(id)
		}
		d.gone = append(d.gone, d.first)
		d.chunks[0] = nil
		d.chunks = d.chunks[1:]
		d.first++
	}
}

// window is how far back the set reaches at now, in ms.
func (d *dedupe) window(now int64) int64 {
	if len(d.chunks) == 0 {
		return 0
	}
	return now - d.chunks[0].from
}

// A stored chunk, version 1: format byte, from, to (varints), count (varint),
// count hashes of 8 bytes.
const dedupeFormat = 1

func (c *dedupeChunk) appendTo(b []byte) []byte {
	b = append(b, dedupeFormat)
	b = wire.AppendInt(b, c.from)
	b = wire.AppendInt(b, c.to)
	b = wire.AppendUint(b, uint64(len(c.ids)))
	for _, id := range c.ids {
		b = wire.AppendFixed(b, id)
	}
	return b
}

// load appends a stored chunk, in the order of the chunks' numbers.
func (d *dedupe) load(number uint64, p []byte) error {
	r := wire.NewDecoder(p)
	if f := r.Byte(); f != dedupeFormat {
		return fmt.Errorf("actors: dedupe chunk %d: %w: format %d", number, wire.ErrCorrupt, f)
	}
	c := &dedupeChunk{from: r.Int(), to: r.Int()}
	for range r.Count(8) {
		id := r.Fixed()
		c.ids = append(c.ids, id)
		d.seen.add(id)
	}
	if err := r.Done(); err != nil {
		return fmt.Errorf("actors: dedupe chunk %d: %w", number, err)
	}
	if len(d.chunks) == 0 {
		d.first = number
	} else if number != d.first+uint64(len(d.chunks)) {
		return fmt.Errorf("actors: dedupe chunk %d follows %d", number, d.first+uint64(len(d.chunks))-1)
	}
	d.chunks = append(d.chunks, c)
	return nil
}
