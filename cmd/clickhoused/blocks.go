package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/go-faster/city"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// ClickHouse's own compression (compress=1, decompress=1) is a sequence of blocks:
//
//	16 bytes  CityHash128 (version 1.0.2) of what follows
//	 1 byte   method: 0x82 LZ4, 0x90 ZSTD, 0x02 none
//	 4 bytes  length of the block from the method on, little endian
//	 4 bytes  length of the data, little endian
//	          the compressed data
const (
	blockSum    = 16
	blockHeader = 1 + 4 + 4

	// The methods that are read; LZ4 is the one that is written.
	methodNone = 0x02
	methodLZ4  = 0x82
	methodZSTD = 0x90

	// blockData is how much data a block has that is written here, uncompressed; the size that
	// ClickHouse uses too.
	blockData = 1 << 20
)

// errBlock returns the refusal of a body that is no such sequence.
func errBlock(format string, args ...any) error {
	return exception(271, "CANNOT_DECOMPRESS", "The body is not in ClickHouse's compressed blocks, as decompress=1 "+
		"says: "+fmt.Sprintf(format, args...))
}

// blockReader unpacks blocks as they are read. No block may be larger than limit, packed or
// unpacked: the lengths come from outside.
type blockReader struct {
	from  io.Reader
	limit int64
	// data is what was not read yet of the last block.
	data []byte
	zstd *zstd.Decoder
}

// newBlockReader returns a reader of the data in a sequence of blocks.
func newBlockReader(from io.Reader, limit int64) *blockReader {
	return &blockReader{from: from, limit: limit}
}

// Read implements io.Reader. The error is io.EOF at the end of a block only; an end within one
// is refused.
func (b *blockReader) Read(p []byte) (int, error) {
	for len(b.data) == 0 {
		if err := b.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.data)
	b.data = b.data[n:]
	return n, nil
}

// next reads and unpacks one block, after it has checked lengths and sum.
func (b *blockReader) next() error {
	var head [blockSum + blockHeader]byte
	if _, err := io.ReadFull(b.from, head[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return errBlock("it ends within a block")
		}
		return err
	}
	packed := int64(binary.LittleEndian.Uint32(head[blockSum+1:])) - blockHeader
	unpacked := int64(binary.LittleEndian.Uint32(head[blockSum+5:]))
	// The lengths are checked before anything is read or allocated for them.
	if packed < 0 || packed > b.limit || unpacked > b.limit {
		return errBlock("a block of %d bytes that become %d", packed, unpacked)
	}
	// The buffer grows with what comes, not with what is announced.
	raw := bytes.NewBuffer(append([]byte(nil), head[blockSum:]...))
	if n, err := io.Copy(raw, io.LimitReader(b.from, packed)); err != nil || n != packed {
		return errors.Join(errBlock("it ends within a block"), err)
	}
	sum := city.CH128(raw.Bytes())
	if sum.Low != binary.LittleEndian.Uint64(head[:]) || sum.High != binary.LittleEndian.Uint64(head[8:]) {
		return errBlock("the checksum of a block is wrong")
	}
	return b.unpack(head[blockSum], raw.Bytes()[blockHeader:], int(unpacked))
}

// unpack puts the data of a block into b.data; size is how much the block says that it has.
func (b *blockReader) unpack(method byte, raw []byte, size int) (err error) {
	switch method {
	case methodNone:
		b.data = raw
	case methodLZ4:
		// LZ4 cannot pack more tightly, so no room is made for a block that claims to.
		if size > 256*len(raw)+64 {
			return errBlock("a block of %d bytes that become %d", len(raw), size)
		}
		b.data = make([]byte, size)
		var n int
		if n, err = lz4.UncompressBlock(raw, b.data); err == nil {
			b.data = b.data[:n]
		}
	case methodZSTD:
		if b.zstd == nil {
			b.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1),
				zstd.WithDecoderMaxMemory(uint64(b.limit)))
			if err != nil {
				return errBlock("%v", err)
			}
		}
		b.data, err = b.zstd.DecodeAll(raw, nil)
	default:
		return errBlock("the method 0x%02x is not known: use LZ4, ZSTD or none", method)
	}
	if err != nil {
		return errBlock("%v", err)
	}
	// A block with other data than it announces is damaged, or meant to deceive.
	if len(b.data) != size {
		return errBlock("a block says %d bytes and has %d", size, len(b.data))
	}
	return nil
}

// writeBlocks writes data as LZ4 blocks, as ClickHouse does. An error is the writer's.
func writeBlocks(to io.Writer, data []byte) error {
	var c lz4.Compressor
	// One buffer serves all blocks.
	packed := make([]byte, blockSum+blockHeader+lz4.CompressBlockBound(blockData))
	for len(data) > 0 {
		n := min(len(data), blockData)
		size, err := c.CompressBlock(data[:n], packed[blockSum+blockHeader:])
		if err != nil {
			return fmt.Errorf("compress the answer: %w", err)
		}
		body := packed[blockSum : blockSum+blockHeader+size]
		body[0] = methodLZ4
		binary.LittleEndian.PutUint32(body[1:], uint32(len(body)))
		binary.LittleEndian.PutUint32(body[5:], uint32(n))
		sum := city.CH128(body)
		binary.LittleEndian.PutUint64(packed, sum.Low)
		binary.LittleEndian.PutUint64(packed[8:], sum.High)
		if _, err := to.Write(packed[:blockSum+len(body)]); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}
