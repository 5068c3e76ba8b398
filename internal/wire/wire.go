// Package wire writes and reads the byte formats of the project: varints,
// length-prefixed byte strings, fixed 64-bit words.
//
// Encoding appends to a caller's slice, so a hot path reuses its buffer.
// Decoding never panics and never allocates on the word of a length field: a
// length beyond the remaining bytes is an error. Both sides are pure; a Decoder
// must not be shared between goroutines.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unsafe"
)

// ErrCorrupt is the class of every decoding error: the bytes are not what the
// format says.
var ErrCorrupt = errors.New("wire: corrupt bytes")

// AppendUint appends v as an unsigned varint (1 to 10 bytes).
func AppendUint(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }

// AppendInt appends v as a zigzag varint (1 to 10 bytes).
func AppendInt(b []byte, v int64) []byte { return binary.AppendVarint(b, v) }

// AppendFixed appends v as 8 bytes, little-endian.
func AppendFixed(b []byte, v uint64) []byte { return binary.LittleEndian.AppendUint64(b, v) }

// AppendBytes appends the length of p as a varint, then p.
func AppendBytes(b, p []byte) []byte { return append(AppendUint(b, uint64(len(p))), p...) }

// AppendString is AppendBytes for a string.
func AppendString(b []byte, s string) []byte { return append(AppendUint(b, uint64(len(s))), s...) }

// AppendBool appends one byte, 0 or 1.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// Decoder reads what the Append functions wrote. The first error sticks: later
// reads return zero values, so a caller checks Err once at the end.
type Decoder struct {
	rest  []byte
	err   error
	alias bool // String aliases the input too
}

// NewDecoder reads from p. The slices that Bytes returns alias p.
func NewDecoder(p []byte) *Decoder { return &Decoder{rest: p} }

// NewAliasDecoder is NewDecoder for bytes that are never written again: the strings alias p
// too, and keep all of it in memory.
func NewAliasDecoder(p []byte) *Decoder { return &Decoder{rest: p, alias: true} }

// Err returns the first error, or nil.
func (d *Decoder) Err() error { return d.err }

// Len returns the number of bytes that are left.
func (d *Decoder) Len() int { return len(d.rest) }

// Done returns Err, or an error where bytes are left over.
func (d *Decoder) Done() error {
	if d.err == nil && len(d.rest) != 0 {
		d.fail("%d bytes left over", len(d.rest))
	}
	return d.err
}

// Uint reads an unsigned varint.
func (d *Decoder) Uint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.fail("bad varint")
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

// Int reads a zigzag varint.
func (d *Decoder) Int() int64 {
	v, n := binary.Varint(d.rest)
	if n <= 0 {
		d.fail("bad varint")
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

// Count reads a varint that counts elements of at least minBytes bytes each, minBytes >= 1.
// It refuses a count that the remaining bytes cannot hold, so that a corrupt count cannot
// cause a large allocation.
func (d *Decoder) Count(minBytes int) int {
	v := d.Uint()
	if v > uint64(len(d.rest)/minBytes) || v > math.MaxInt32 {
		d.fail("count %d beyond the %d bytes left", v, len(d.rest))
		return 0
	}
	return int(v)
}

// Fixed reads 8 bytes, little-endian.
func (d *Decoder) Fixed() uint64 {
	if len(d.rest) < 8 {
		d.fail("8 bytes wanted, %d left", len(d.rest))
		return 0
	}
	v := binary.LittleEndian.Uint64(d.rest)
	d.rest = d.rest[8:]
	return v
}

// Byte reads one byte.
func (d *Decoder) Byte() byte {
	if len(d.rest) == 0 {
		d.fail("a byte wanted, none left")
		return 0
	}
	v := d.rest[0]
	d.rest = d.rest[1:]
	return v
}

// Bool reads one byte and refuses all but 0 and 1, so that equal values have
// equal bytes.
func (d *Decoder) Bool() bool {
	v := d.Byte()
	if v > 1 {
		d.fail("bool %d", v)
	}
	return v == 1
}

// Bytes reads a length and that many bytes; nil when the length is 0. The
// result aliases the input.
func (d *Decoder) Bytes() []byte {
	n := d.Uint()
	if n > uint64(len(d.rest)) {
		d.fail("length %d beyond the %d bytes left", n, len(d.rest))
		return nil
	}
	if n == 0 {
		return nil
	}
	p := d.rest[:n:n]
	d.rest = d.rest[n:]
	return p
}

// Row returns a decoder, of the same kind as d, for the bytes that Bytes returns.
func (d *Decoder) Row() *Decoder { return &Decoder{rest: d.Bytes(), alias: d.alias} }

// String reads bytes as a string. It is a copy, unless d aliases strings.
func (d *Decoder) String() string {
	p := d.Bytes()
	if d.alias {
		return Alias(p)
	}
	return string(p)
}

// Alias returns p as a string without a copy. p must not be written to while the string is
// in use.
func Alias(p []byte) string { return unsafe.String(unsafe.SliceData(p), len(p)) }

// fail keeps the first error and drops the rest, so that later reads fail at once.
func (d *Decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: "+format, append([]any{ErrCorrupt}, args...)...)
	}
	d.rest = nil
}
