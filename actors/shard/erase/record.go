package erase

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/nudge-engine/nudge/internal/wire"
)

// Hash is what is kept of an erased customer: HMAC-SHA-256 of workspace and id.
type Hash [sha256.Size]byte

// String is the hash as 64 hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// HashOf is the keyed hash of a customer. Without the key nobody can tell whose it is,
// nor try who it could be.
func HashOf(key []byte, workspace, customer string) (h Hash) {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(workspace + "\x00" + customer))
	mac.Sum(h[:0])
	return h
}

// Fingerprint tells erase keys apart without saying what they are.
func Fingerprint(key []byte) uint64 {
	sum := sha256.Sum256(append([]byte("nudge erase key\x00"), key...))
	return binary.BigEndian.Uint64(sum[:])
}

// Record is the record that erases a customer. It is written to their partition.
type Record struct {
	Workspace string
	Customer  string
	Key       uint64 // Fingerprint of the key of the tombstone
}

// AppendTo appends the stored form of e: workspace, customer, key.
func (e *Record) AppendTo(b []byte) []byte {
	b = wire.AppendString(wire.AppendString(b, e.Workspace), e.Customer)
	return wire.AppendFixed(b, e.Key)
}

// Decode reads what AppendTo wrote.
func Decode(p []byte) (Record, error) {
	d := wire.NewDecoder(p)
	e := Record{Workspace: d.String(), Customer: d.String(), Key: d.Fixed()}
	if err := d.Done(); err != nil {
		return Record{}, fmt.Errorf("actors: erase: %w", err)
	}
	return e, nil
}
