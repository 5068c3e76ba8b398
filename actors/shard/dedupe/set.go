package dedupe

import (
	"fmt"

	"github.com/cespare/xxhash/v2"

	"github.com/nudge-engine/nudge/internal/wire"
	"github.com/nudge-engine/nudge/storage"
)

const (
	windowMillis = 24 * 3600 * 1000 // how long an id is remembered: a day, ms of log time
	chunkSize    = 4096             // ids of a chunk, the unit that a snapshot writes: 32 KiB
	// DefaultIDs is how many ids a partition remembers unless the genesis record says
	// otherwise: about 24 events a second over the whole window. It costs up to 48 MiB.
	DefaultIDs = 1 << 21
)

// Set is the exact set of the event ids that a partition saw lately, as 64-bit hashes of
// workspace, customer and id.
//
// An id is forgotten when it is as old as the window, to the millisecond of log time, so
// that the outcome does not depend on how customers are spread over partitions. While
// there are more ids than the limit, the oldest are forgotten a chunk at a time. A set
// must be used by one goroutine at a time; instants are log time, ms.
type Set struct {
	seen   idSet    // all ids that are remembered
	chunks []*chunk // oldest first; the last one grows
	limit  int      // how many ids are remembered at most
	first  uint64   // number of chunks[0]
	gone   []uint64 // numbers of chunks that the next snapshot deletes
}

// chunk is ids that came after each other, in order; a snapshot writes those that
// changed.
type chunk struct {
	from, to int64 // log time of its first and last id, ms
	ids      []uint64
	runs     []timedRun // times of the ids from gone on
	gone     int        // ids at the front that are older than the window
	dirty    bool       // changed since the last snapshot
}

// timedRun is how many ids in a row came at one log time. Ids of one frame share theirs,
// so this is smaller than a time for each.
type timedRun struct {
	at int64 // ms
	n  int
}

// New returns an empty set that holds at most DefaultIDs ids.
func New() Set {
	return Set{limit: DefaultIDs}
}

// EventHash returns the identity of an event: XXH64 over workspace, customer and id, with
// a zero byte between them. With the default limit, two ids are taken for one by chance
// about once in eight million full windows.
func EventHash(workspace, customer, id string) uint64 {
	var d xxhash.Digest
	d.Reset()
	_, _ = d.WriteString(workspace) // never fails
	_, _ = d.Write([]byte{0})
	_, _ = d.WriteString(customer)
	_, _ = d.Write([]byte{0})
	_, _ = d.WriteString(id)
	return d.Sum64()
}

// Add adds id at log time now and reports whether it is new. now must not go back.
func (d *Set) Add(id uint64, now int64) bool {
	if !d.seen.add(id) {
		return false
	}
	if n := len(d.chunks); n == 0 || len(d.chunks[n-1].ids) == chunkSize {
		d.chunks = append(d.chunks, &chunk{from: now})
	}
	c := d.chunks[len(d.chunks)-1]
	c.ids = append(c.ids, id)
	c.to, c.dirty = now, true
	if n := len(c.runs); n > 0 && c.runs[n-1].at == now {
		c.runs[n-1].n++
	} else {
		c.runs = append(c.runs, timedRun{at: now, n: 1})
	}
	return true
}

// Evict forgets the ids that are older than the window at now, and the oldest chunks
// while there are more ids than the limit. The newest chunk stays in any case, as it
// still grows.
func (d *Set) Evict(now int64) {
	for len(d.chunks) > 0 {
		c := d.chunks[0]
		for _, id := range c.expire(now) {
			d.seen.remove(id)
		}
		if len(c.runs) > 0 && (len(d.chunks) == 1 || d.seen.len() <= d.limit) {
			return
		}
		for _, id := range c.ids[c.gone:] {
			d.seen.remove(id)
		}
		d.gone = append(d.gone, d.first)
		d.chunks[0] = nil
		d.chunks = d.chunks[1:]
		d.first++
	}
}

// expire marks the ids of c that are older than the window at now as gone, and returns
// them.
func (c *chunk) expire(now int64) (over []uint64) {
	from := c.gone
	for len(c.runs) > 0 && c.runs[0].at <= now-windowMillis {
		c.gone += c.runs[0].n
		c.runs = c.runs[1:]
	}
	return c.ids[from:c.gone]
}

// SetLimit sets how many ids are remembered at most. It takes effect with the next Evict.
func (d *Set) SetLimit(ids int) { d.limit = ids }

// MaxIDs returns how many ids are remembered at most.
func (d *Set) MaxIDs() int { return d.limit }

// Len returns how many ids are remembered.
func (d *Set) Len() int { return d.seen.len() }

// Window returns how far back the set reaches at now, ms; 0 if it is empty.
func (d *Set) Window(now int64) int64 {
	for _, c := range d.chunks {
		if len(c.runs) > 0 {
			return now - c.runs[0].at
		}
	}
	return 0
}

// A stored chunk: format byte, from, to (varints), count (varint), count hashes of 8
// bytes; in version 2 also the number of runs and for each its time and count (varints),
// those of ids that are over the window too.
const chunkFormat = 2

// appendTo appends the stored form of c to b.
func (c *chunk) appendTo(b []byte) []byte {
	b = append(b, chunkFormat)
	b = wire.AppendInt(b, c.from)
	b = wire.AppendInt(b, c.to)
	b = wire.AppendUint(b, uint64(len(c.ids)))
	for _, id := range c.ids {
		b = wire.AppendFixed(b, id)
	}
	runs := c.runs
	// When they came no longer matters: one run at time 0 stands for all ids that are
	// gone.
	if c.gone > 0 {
		b = wire.AppendUint(b, uint64(len(runs)+1))
		b = wire.AppendUint(wire.AppendInt(b, 0), uint64(c.gone))
	} else {
		b = wire.AppendUint(b, uint64(len(runs)))
	}
	for _, run := range runs {
		b = wire.AppendUint(wire.AppendInt(b, run.at), uint64(run.n))
	}
	return b
}

// Save adds to a snapshot of a partition the chunks that changed since the last one, and
// deletes those that are gone.
func (d *Set) Save(partition int, b *storage.Batch) {
	for i, c := range d.chunks {
		if c.dirty {
			b.Set(storage.DedupeKey(partition, d.first+uint64(i)), c.appendTo(nil))
			c.dirty = false
		}
	}
	for _, number := range d.gone {
		b.Delete(storage.DedupeKey(partition, number))
	}
	d.Unsaved()
}

// Unsaved forgets which chunks the next snapshot must delete. A set that is never saved
// calls it so that the list does not grow.
func (d *Set) Unsaved() { d.gone = d.gone[:0] }

// Load appends a stored chunk without the ids that are older than the window at now, the
// log time of the snapshot. Chunks must be loaded in the order of their numbers, without
// a gap.
func (d *Set) Load(number uint64, p []byte, now int64) error {
	c, err := decodeChunk(p)
	if err != nil {
		return fmt.Errorf("actors: dedupe chunk %d: %w", number, err)
	}
	c.expire(now)
	for _, id := range c.ids[c.gone:] {
		d.seen.add(id)
	}
	if len(d.chunks) == 0 {
		d.first = number
	} else if number != d.first+uint64(len(d.chunks)) {
		return fmt.Errorf("actors: dedupe chunk %d follows %d", number, d.first+uint64(len(d.chunks))-1)
	}
	d.chunks = append(d.chunks, c)
	return nil
}

// decodeChunk decodes a stored chunk of format 1 or 2.
func decodeChunk(p []byte) (*chunk, error) {
	r := wire.NewDecoder(p)
	format := r.Byte()
	if format < 1 || format > chunkFormat {
		return nil, fmt.Errorf("%w: format %d", wire.ErrCorrupt, format)
	}
	c := &chunk{from: r.Int(), to: r.Int()}
	for range r.Count(8) {
		c.ids = append(c.ids, r.Fixed())
	}
	// Format 1 did not keep the time of each id: all count as the newest, so that none is
	// forgotten too early.
	if format == 1 {
		c.runs = []timedRun{{at: c.to, n: len(c.ids)}}
		return c, r.Done()
	}
	timed := 0
	for range r.Count(2) {
		run := timedRun{at: r.Int(), n: int(r.Uint())}
		if run.n < 1 || run.n > len(c.ids)-timed {
			return nil, fmt.Errorf("%w: a run of %d ids", wire.ErrCorrupt, run.n)
		}
		timed += run.n
		c.runs = append(c.runs, run)
	}
	if err := r.Done(); err != nil {
		return nil, err
	}
	if timed != len(c.ids) {
		return nil, fmt.Errorf("%w: the times of %d ids of %d", wire.ErrCorrupt, timed, len(c.ids))
	}
	return c, nil
}
