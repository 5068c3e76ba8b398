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

// Damage is a stretch of a block file that holds no whole record.
type Damage struct {
	// Stream is the name of the stream, File the path of the block.
	Stream string
	File   string
	// Offset and Length say where in the file it is, bytes.
	Offset int64
	Length int64
	// First and Last are the numbers of the messages that were there; none were if First
	// > Last.
	First, Last uint64
	Time        int64  // ns, of a message around: the one before if there is one
	Subject     string // of a message around
	block       uint32 // number of the block
	// length reports that only the length of the record is wrong: it is whole and ends
	// where the block ends.
	length bool
}

// String describes the damage for a log line.
func (d Damage) String() string {
	return fmt.Sprintf("%s of stream %s is damaged from byte %d for %d bytes, where messages %d..%d were",
		filepath.Base(d.File), d.Stream, d.Offset, d.Length, d.First, d.Last)
}

// Streams returns the directories of the streams that an embedded log keeps in dir, by
// the streams' names.
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

// newest returns the newest block files of a stream, oldest first: as many as have about
// limit bytes together, and at least the last two, so that a block before the last one
// tells where its numbers begin.
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

// Scan reads the newest blocks of a stream, about limit bytes of them, and returns what
// is damaged. A message that is cut off at the end of the last block is no damage: it was
// being written when the machine stopped, and nobody was told that it is stored.
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
	hash   hasher // of the current block
	last   record // the last whole message
	open   int    // how many at the end of found have no last number yet
	found  []Damage
}

// block goes through one block; last reports that it is the last of the stream. Where no
// whole record begins it looks for the next one, and everything up to it is damage.
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

// whole takes a whole record into account. If it is a message it settles which numbers
// the damages before it had: all between the last whole message and this one.
func (s *scan) whole(r record) {
	if !r.message {
		return
	}
	for i := len(s.found) - s.open; i < len(s.found); i++ {
		d := &s.found[i]
		d.Subject, d.Time = cmp.Or(d.Subject, r.subject), cmp.Or(d.Time, r.time)
		if s.last.number == 0 && d.block > 1 {
			// Nothing before the damage is known: it took one message at least.
			d.First = r.number - 1
		}
		d.Last = r.number - 1
	}
	// Which of several damages in a row had which numbers is not known: the first one
	// gets them all.
	if n := s.open; n > 1 {
		for i := len(s.found) - n + 1; i < len(s.found); i++ {
			s.found[i].First, s.found[i].Last = 1, 0
		}
	}
	s.open = 0
	s.last = r
}

// damage notes that text from at to end holds no whole record. If only its length is
// wrong, the record can be read all the same.
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

// sized reports whether p is a whole record if its length is taken from p instead of the
// field.
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

// resume returns where the next whole record after at begins, len(text) if there is none.
// A number that can follow the last one is looked for first, because a checksum costs
// much more.
func (s *scan) resume(text []byte, at int) int {
	for i := at + 1; i+headerSize+checksumSize <= len(text); i++ {
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

// sector is the least that a disk writes at a time, bytes.
const sector = 512

// torn reports whether what is left of the last block, from offset at on, is a message
// that was not written to its end: the file ends within it, or there are only zeros from
// the beginning of a sector on, as after a power loss while the file grew.
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
