// Package blocks finds and mends damage in the block files of the embedded log, before
// the server opens them. It is for package stream, which calls it at each start.
//
// The server (nats-server 2.15.2) cuts a stream off at the first message whose checksum
// is wrong and gives the numbers of what it cut to new messages, without a word:
// acknowledged messages behind one flipped bit are gone. This package finds the damage
// first and keeps a copy. It puts in the place of each lost message one that says so, and
// what follows stays.
//
// A block is a sequence of records: length (4 bytes, the top bit says that there are
// headers), number (8), time in ns (8), length of the subject (2), subject, headers,
// body, checksum (8), all little-endian. The checksum is HighwayHash-64 over number,
// time, subject, headers and body, under the SHA-256 of "STREAM-BLOCK". Source:
// server/filestore.go of nats-server 2.15.2; golden bytes are in the test.
//
// Files in reading order: record.go, scan.go (Scan), mend.go (Mend, Cut).
package blocks

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/minio/highwayhash"
)

const (
	headerSize   = 22       // length, number, time, length of the subject
	checksumSize = 8        // of the HighwayHash-64
	maxRecord    = 32 << 20 // bytes; a longer length is damage
	headersBit   = 1 << 31  // of the length: the record has headers
	// Bits of the number that the server sets: an erased message, and the trace of a
	// deleted one.
	erasedBit = 1 << 63
	deleteBit = 1 << 62
)

// record is one record of a block.
type record struct {
	size    int    // bytes that it takes in the block
	number  uint64 // sequence of the message in its stream
	message bool   // false: the trace of one that was erased or deleted
	time    int64  // ns since the epoch
	subject string
}

// hasher computes the checksums of one block. Its key is different in each block, so that
// a record in the wrong place is recognised.
type hasher struct{ key [sha256.Size]byte }

// newHasher returns the hasher of a block, by its stream and number.
func newHasher(stream string, block uint32) hasher {
	return hasher{sha256.Sum256(fmt.Appendf(nil, "%s-%d", stream, block))}
}

// sum returns the checksum over parts.
func (h hasher) sum(parts ...[]byte) [checksumSize]byte {
	d, err := highwayhash.NewDigest64(h.key[:])
	if err != nil {
		panic(fmt.Sprintf("BUG: a key of %d bytes: %v", len(h.key), err))
	}
	for _, p := range parts {
		_, _ = d.Write(p) // a hash takes everything
	}
	var sum [checksumSize]byte
	d.Sum(sum[:0])
	return sum
}

// read decodes the record at the beginning of p; ok is false if there is none that is
// whole.
func (h hasher) read(p []byte) (r record, ok bool) {
	if len(p) < headerSize+checksumSize {
		return r, false
	}
	length := binary.LittleEndian.Uint32(p)
	return h.readSized(p, int(length&^headersBit), length&headersBit != 0)
}

// readSized does what read does for a record of size bytes, with or without headers,
// whatever the length in p says. p has at least a header.
func (h hasher) readSized(p []byte, size int, headers bool) (r record, ok bool) {
	subject := int(binary.LittleEndian.Uint16(p[20:]))
	body := headerSize + subject
	if headers {
		body += 4
	}
	if size > len(p) || size > maxRecord || body+checksumSize > size {
		return r, false
	}
	sum := h.sum(p[4:20], p[headerSize:headerSize+subject], p[body:size-checksumSize])
	if !bytes.Equal(sum[:], p[size-checksumSize:size]) {
		return r, false
	}
	number := binary.LittleEndian.Uint64(p[4:])
	return record{
		size: size, number: number &^ (erasedBit | deleteBit),
		message: number != 0 && number&(erasedBit|deleteBit) == 0,
		time:    int64(binary.LittleEndian.Uint64(p[12:])), subject: string(p[headerSize : headerSize+subject]),
	}, true
}

// appendRecord appends a message without headers, as the server writes it. at is ns since
// the epoch.
func (h hasher) appendRecord(b []byte, number uint64, at int64, subject string, body []byte) []byte {
	start := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(headerSize+len(subject)+len(body)+checksumSize))
	b = binary.LittleEndian.AppendUint64(b, number)
	b = binary.LittleEndian.AppendUint64(b, uint64(at))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(subject)))
	b = append(append(b, subject...), body...)
	sum := h.sum(b[start+4:start+20], []byte(subject), body)
	return append(b, sum[:]...)
}
