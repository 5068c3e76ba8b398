package erase

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/nudge-engine/nudge/internal/wire"
)

// Hash is what is kept of an erased customer: HMAC-SHA-256 over workspace, a zero byte
// and id.
type Hash [sha256.Size]byte

// String returns the hash as 64 hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// HashOf returns the hash of a customer under key. Without the key nobody can tell whose
// hash it is, nor find out by trying ids.
func HashOf(key []byte, workspace, customer string) (h Hash) {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(workspace + "\x00" + customer))
	mac.Sum(h[:0])
	return h
}

// Fingerprint returns a number that tells erase keys apart and does not reveal them: the
// first 8 bytes of a SHA-256.
func Fingerprint(key []byte) uint64 {
	sum := sha256.Sum256(append([]byte("nudge erase key\x00"), key...))
	return binary.BigEndian.Uint64(sum[:])
}

// Record is the log record of kind stream.KindErase, which erases a customer. It is
// written to the customer's partition.
type Record struct {
	Workspace string
	Customer  string
	Key       uint64 // Fingerprint of the key that the hash was made with
}

// AppendTo appends the stored form to b: workspace, customer, key.
func (e *Record) AppendTo(b []byte) []byte {
	b = wire.AppendString(wire.AppendString(b, e.Workspace), e.Customer)
	return wire.AppendFixed(b, e.Key)
}

// Decode decodes what AppendTo wrote. Errors are of class wire.ErrCorrupt.
func Decode(p []byte) (Record, error) {
	d := wire.NewDecoder(p)
	e := Record{Workspace: d.String(), Customer: d.String(), Key: d.Fixed()}
	if err := d.Done(); err != nil {
		return Record{}, fmt.Errorf("actors: erase: %w", err)
	}
	return e, nil
}
