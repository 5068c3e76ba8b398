package dedupe

import (
	"fmt"

	"github.com/cespare/xxhash/v2"

	"github.com/nudge-engine/nudge/internal/wire"
	"github.com/nudge-engine/nudge/storage"
)

const (
	windowMillis = 24 * 3600 * 1000 // ms of log time
	chunkSize    = 4096             // ids a chunk; 32 KiB stored
	// DefaultIDs is how many ids a partition remembers unless a control
	// record says otherwise (R15).
	DefaultIDs = 1 << 21
)

// Set is the exact set of event ids that a partition saw lately: 64-bit
// hashes of (workspace, customer, message id), forgotten in log order: each when it is as
// old as the window, to the millisecond of log time, so that the partitions do not show;
// and a chunk at a time while the set is larger than its limit. It belongs to one
// goroutine; instants are log time, ms.
type Set struct {
	seen   idSet
	chunks []*chunk // oldest first; the last one grows
	limit  int
	first  uint64 // number of chunks[0]
	gone   []uint64
}

type chunk struct {
	from, to int64 // log time of its first and last id, ms
	ids      []uint64
	runs     []timedRun // of the ids from gone on
	gone     int        // ids at the front that are over the window
	dirty    bool       // changed since the last snapshot
}

// timedRun is how many ids follow each other that came at one log time.
type timedRun struct {
	at int64 // ms
	n  int
}

// New is an empty set that holds at most DefaultIDs ids.
func New() Set {
	return Set{limit: DefaultIDs}
}

// EventHash is the identity of an event within its partition.
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

// Add remembers id at now and says whether it is new.
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

// Evict forgets what is over the window at now, and chunks while there are too many ids.
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

// expire takes the ids out of c that are over the window at now.
func (c *chunk) expire(now int64) (over []uint64) {
	from := c.gone
	for len(c.runs) > 0 && c.runs[0].at <= now-windowMillis {
		c.gone += c.runs[0].n
		c.runs = c.runs[1:]
	}
	return c.ids[from:c.gone]
}

// SetLimit bounds how many ids are remembered.
func (d *Set) SetLimit(ids int) { d.limit = ids }

// MaxIDs is how many ids are remembered at most.
func (d *Set) MaxIDs() int { return d.limit }

// Len is how many ids are remembered.
func (d *Set) Len() int { return d.seen.len() }

// Window is how far back the set reaches at now, in ms.
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

func (c *chunk) appendTo(b []byte) []byte {
	b = append(b, chunkFormat)
	b = wire.AppendInt(b, c.from)
	b = wire.AppendInt(b, c.to)
	b = wire.AppendUint(b, uint64(len(c.ids)))
	for _, id := range c.ids {
		b = wire.AppendFixed(b, id)
	}
	runs := c.runs
	if c.gone > 0 { // they are over the window: when they came no longer matters
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

// Save puts into a snapshot of a partition what changed since the last.
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

// Unsaved forgets which chunks the next snapshot deletes, where no snapshots are taken.
func (d *Set) Unsaved() { d.gone = d.gone[:0] }

// Load appends a stored chunk, in the order of the chunks' numbers, without what is over
// the window at now, the log time of the snapshot.
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
	if format == 1 { // the time of each was not kept
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
