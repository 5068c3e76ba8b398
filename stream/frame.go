package stream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/nudge-engine/nudge/internal/wire"
)

// FrameFormat is the version of the frame format: its first byte.
const FrameFormat = 1

// MaxFrame bounds a frame, in bytes (design R15).
const MaxFrame = 512 << 10

const (
	frameHeader  = 1 + 1 + 8 + 4
	frameTrailer = 4
)

// ErrFrame is the class of errors of a frame that cannot be read.
var ErrFrame = errors.New("stream: bad frame")

// Kind says what a record is.
type Kind byte

// The kinds of records. Their numbers are part of the stored format.
const (
	KindEvent     Kind = iota + 1 // event.Event
	KindTick                      // empty: time passed
	KindControl                   // a numbered control record, copied from CTL
	KindResult                    // output.Result
	KindClaim                     // a new owner of the partition
	_                             // was reserved, never written
	KindReject                    // an event that ingest refused
	KindLost                      // stands for a frame that the disk damaged
	KindBroadcast                 // event.Event without a customer, copied into every partition
	KindTransfer                  // event.Transfer, from a customer who merged
	KindErase                     // a customer who must be forgotten

	KindFill Kind = 20 // backfill.Record: history of a counter, read from the log
)

// Record is one record of a frame. Data aliases the frame's bytes.
type Record struct {
	Kind Kind
	Data []byte
}

// Frame is a decoded frame.
type Frame struct {
	Time    int64 // the writer's clock, ms
	Records []Record
}

// Builder gathers records into a frame. The zero value is ready to use.
type Builder struct {
	buf   []byte
	count uint32
}

// Len is how many bytes the frame would have.
func (b *Builder) Len() int { return max(len(b.buf), frameHeader) + frameTrailer }

// Count is how many records it has.
func (b *Builder) Count() int { return int(b.count) }

// Fits says whether a record of n bytes can still be added.
func (b *Builder) Fits(n int) bool { return b.Len()+n+1+binary.MaxVarintLen64 <= MaxFrame }

// Add appends a record; its data is copied.
//
// REQUIRES: Fits(len(data)).
func (b *Builder) Add(kind Kind, data []byte) {
	if len(b.buf) == 0 {
		b.buf = append(b.buf, make([]byte, frameHeader)...)
	}
	b.buf = append(b.buf, byte(kind))
	b.buf = wire.AppendBytes(b.buf, data)
	b.count++
}

// Seal stamps the frame with the writer's clock, in ms, and returns its bytes,
// which are valid until Reset. The same records can be sealed again with
// another time.
func (b *Builder) Seal(now int64) []byte {
	if len(b.buf) == 0 {
		b.buf = append(b.buf, make([]byte, frameHeader)...)
	}
	b.buf[0] = FrameFormat
	binary.LittleEndian.PutUint64(b.buf[2:], uint64(now))
	binary.LittleEndian.PutUint32(b.buf[10:], b.count)
	sum := crc32.Checksum(b.buf, castagnoli())
	return binary.LittleEndian.AppendUint32(b.buf, sum)
}

// Reset empties the builder and keeps its memory.
func (b *Builder) Reset() { b.buf, b.count = b.buf[:0], 0 }

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// DecodeFrame reads a frame. The records alias p.
func DecodeFrame(p []byte) (Frame, error) {
	if len(p) < frameHeader+frameTrailer {
		return Frame{}, fmt.Errorf("%w: %d bytes are too few", ErrFrame, len(p))
	}
	if p[0] != FrameFormat {
		return Frame{}, fmt.Errorf("%w: format %d; this program reads format %d", ErrFrame, p[0], FrameFormat)
	}
	body, trailer := p[:len(p)-frameTrailer], p[len(p)-frameTrailer:]
	if sum := crc32.Checksum(body, castagnoli()); sum != binary.LittleEndian.Uint32(trailer) || p[1] != 0 {
		return Frame{}, fmt.Errorf("%w: checksum differs", ErrFrame)
	}
	f := Frame{Time: int64(binary.LittleEndian.Uint64(p[2:]))}
	count := int(binary.LittleEndian.Uint32(p[10:]))
	d := wire.NewDecoder(body[frameHeader:])
	if count > d.Len()/2 {
		return Frame{}, fmt.Errorf("%w: %d records in %d bytes", ErrFrame, count, d.Len())
	}
	f.Records = make([]Record, count)
	for i := range f.Records {
		f.Records[i] = Record{Kind: Kind(d.Byte()), Data: d.Bytes()}
	}
	if err := d.Done(); err != nil {
		return Frame{}, fmt.Errorf("%w: %w", ErrFrame, err)
	}
	return f, nil
}
