package stream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/nudge-engine/nudge/internal/wire"
)

// FrameFormat is the version of the frame format: the first byte of a frame.
const FrameFormat = 1

// MaxFrame bounds a frame, bytes. It stays below the 1 MiB that a nats-server takes by
// default.
const MaxFrame = 512 << 10

const (
	frameHeader  = 1 + 1 + 8 + 4 // format, zero, writer's clock, count
	frameTrailer = 4             // checksum
)

// ErrFrame is the class of errors of a frame that cannot be decoded.
var ErrFrame = errors.New("stream: bad frame")

// Kind says what a record is, and so how its data is encoded.
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

// Record is one record of a frame. Data aliases the bytes of the frame.
type Record struct {
	Kind Kind
	Data []byte
}

// Frame is a decoded frame.
type Frame struct {
	Time    int64 // writer's clock, ms since the epoch; log time never goes below the largest so far
	Records []Record
}

// Builder gathers records into a frame. The zero value is ready to use. It is not safe
// for concurrent use.
type Builder struct {
	buf   []byte // header, without its values, and records; empty until the first Add
	count uint32 // records added
}

// Len returns the size that the frame would have, bytes.
func (b *Builder) Len() int { return max(len(b.buf), frameHeader) + frameTrailer }

// Count returns how many records were added.
func (b *Builder) Count() int { return int(b.count) }

// Fits reports whether a record of n bytes can still be added.
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

// Seal stamps the frame with the writer's clock, ms, and returns its bytes, which are
// valid until Reset or the next Add. Seal may be called again, with another time, when
// the frame is published again.
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

// castagnoli returns the table of CRC-32C, which package crc32 keeps.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// DecodeFrame decodes a frame. The records alias p. Errors are of class ErrFrame.
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
	// A record has at least two bytes; a count that cannot be true must not allocate.
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
