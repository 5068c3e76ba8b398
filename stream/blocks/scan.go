package blocks

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Damage is a stretch of a block file that holds no message.
type Damage struct {
	Stream string
	File   string // the block
	Offset int64
	Length int64
	// First and Last number the messages that stood there; First > Last: none did.
	First, Last uint64
	Time        int64  // ns, of a message around: the one before if there is one
	Subject     string // of a message around
	block       uint32
	length      bool // only the length of the record is wrong: it ends where the block ends
}

func (d Damage) String() string {
	return fmt.Sprintf("%s of stream %s is damaged from byte %d for %d bytes, where messages %d..%d were",
		filepath.Base(d.File), d.Stream, d.Offset, d.Length, d.First, d.Last)
}

// Streams are the directories of the streams that an embedded log keeps in dir, by
// their name.
func Streams(dir string) (map[string]string, error) {
	found, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", "*"))
	if err != nil {
		return nil, fmt.Errorf("blocks: %s: %w", dir, err)
	}
	streams := map[string]string{}
	for _, d := range found {
		streams[filepath.Base(d)] = d
	}
	return streams, nil
}

// file is a block file.
type file struct {
	path  string
	block uint32
	size  int64
}

// newest are the block files of a stream in their order: the last ones, of at most
// limit bytes together, and always the last two.
func newest(dir string, limit int64) ([]file, error) {
	entries, err := filepath.Glob(filepath.Join(dir, "msgs", "*.blk"))
	if err != nil {
		return nil, fmt.Errorf("blocks: %s: %w", dir, err)
	}
	var all []file
	for _, path := range entries {
		block, err := strconv.ParseUint(strings.TrimSuffix(filepath.Base(path), ".blk"), 10, 32)
		if err != nil {
			continue // not a block of this server
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("blocks: %w", err)
		}
		all = append(all, file{path, uint32(block), info.Size()})
	}
	slices.SortFunc(all, func(a, b file) int { return cmp.Compare(b.block, a.block) })
	sum := int64(0)
	for i, f := range all {
		if sum += f.size; i >= 2 && sum > limit {
			all = all[:i]
			break
		}
	}
	slices.Reverse(all)
	return all, nil
}

// Scan reads the newest blocks of a stream, about limit bytes of them, and returns
// what is damaged. A message that is cut off at the end of the last block is none: it
// was being written when the machine stopped, and nobody was told that it is stored.
func Scan(stream, dir string, limit int64) ([]Damage, error) {
	files, err := newest(dir, limit)
	if err != nil {
		return nil, err
	}
	s := &scan{stream: stream}
	for i, f := range files {
		text, err := os.ReadFile(f.path)
		if err != nil {
			return nil, fmt.Errorf("blocks: %w", err)
		}
		s.hash = newHasher(stream, f.block)
		s.block(f, text, i == len(files)-1)
	}
	return s.found, nil
}

// scan goes through the blocks of a stream in their order.
type scan struct {
	stream string
	hash   hasher
	last   record // the last message that is whole
	open   int    // of found: damages whose last number is not known yet
	found  []Damage
}

func (s *scan) block(f file, text []byte, last bool) {
	for at := 0; at < len(text); {
		r, ok := s.hash.read(text[at:])
		if !ok {
			end := s.resume(text, at)
			if end == len(text) && last && s.torn(text[at:], at) {
				return
			}
			s.damage(f, text, at, end)
			at = end
			continue
		}
		s.whole(r)
		at += r.size
	}
}

// whole notes a record and closes the damages before it.
func (s *scan) whole(r record) {
	if !r.message {
		return
	}
	for i := len(s.found) - s.open; i < len(s.found); i++ {
		d := &s.found[i]
		d.Subject, d.Time = cmp.Or(d.Subject, r.subject), cmp.Or(d.Time, r.time)
		if s.last.number == 0 && d.block > 1 {
			d.First = r.number - 1 // nothing before is known: one at least
		}
		d.Last = r.number - 1
	}
	if n := s.open; n > 1 { // several damaged ranges in a row: the first one has the numbers
		for i := len(s.found) - n + 1; i < len(s.found); i++ {
			s.found[i].First, s.found[i].Last = 1, 0
		}
	}
	s.open = 0
	s.last = r
}

func (s *scan) damage(f file, text []byte, at, end int) {
	d := Damage{
		Stream: s.stream, File: f.path, block: f.block, Offset: int64(at), Length: int64(end - at),
		First: s.last.number + 1, Last: s.last.number + 1, Time: s.last.time, Subject: s.last.subject,
	}
	d.length = end == len(text) && s.sized(text[at:])
	s.found = append(s.found, d)
	s.open++
	if d.length {
		r, _ := s.hash.readSized(text[at:], end-at, text[at+3]&0x80 != 0)
		s.whole(r)
		s.found[len(s.found)-1].First, s.found[len(s.found)-1].Last = 1, 0
	}
}

// sized says whether p is a whole record but for its length.
func (s *scan) sized(p []byte) bool {
	if len(p) < headerSize+checksumSize {
		return false
	}
	for _, headers := range []bool{false, true} {
		if _, ok := s.hash.readSized(p, len(p), headers); ok && headers == (p[3]&0x80 != 0) {
			return true
		}
	}
	return false
}

// resume finds the next whole record behind a place where none is.
func (s *scan) resume(text []byte, at int) int {
	for i := at + 1; i+headerSize+checksumSize <= len(text); i++ {
		// A number that can follow is looked for first: a checksum costs much more.
		number := binary.LittleEndian.Uint64(text[i+4:]) &^ (erasedBit | deleteBit)
		if known := s.last.number; known > 0 && (number > known+math.MaxUint16 || number+math.MaxUint16 < known) {
			continue
		}
		if _, ok := s.hash.read(text[i:]); ok {
			return i
		}
	}
	return len(text)
}

// sector is the least that a disk writes, bytes.
const sector = 512

// torn says whether what is left of the last block, from offset at on, is a message
// that was not written to its end: the file ends within it, or nothing but zeros
// stands from the beginning of a sector on, as where a file grew and the power went.
func (s *scan) torn(p []byte, at int) bool {
	written := len(bytes.TrimRight(p, "\x00"))
	if next := (at + written + sector - 1) / sector * sector; next < at+len(p) {
		return true
	}
	if len(p) < headerSize+checksumSize || written == 0 {
		return true
	}
	size := int(binary.LittleEndian.Uint32(p) &^ headersBit)
	return size > len(p) && size <= maxRecord && !s.sized(p)
}
