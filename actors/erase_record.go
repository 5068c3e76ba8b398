package actors

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/nudge-engine/nudge/internal/wire"
)

// EraseHash is what is kept of an erased customer: HMAC-SHA-256 of workspace and id.
type EraseHash [sha256.Size]byte

// String is the hash as 64 hexadecimal digits.
func (h EraseHash) String() string { return hex.EncodeToString(h[:]) }

// HashErased is the keyed hash of a customer. Without the key nobody can tell whose it is,
// nor try who it could be.
func HashErased(key []byte, workspace, customer string) (h EraseHash) {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(workspace + "\x00" + customer))
	mac.Sum(h[:0])
	return h
}

// EraseFingerprint tells erase keys apart without saying what they are.
func EraseFingerprint(key []byte) uint64 {
	sum := sha256.Sum256(append([]byte("nudge erase key\x00"), key...))
	return binary.BigEndian.Uint64(sum[:])
}

// Erase is the record that erases a customer. It is written to their partition.
type Erase struct {
	Workspace string
	Customer  string
	Key       uint64 // EraseFingerprint of the key of the tombstone
}

// AppendTo appends the stored form of e: workspace, customer, key.
func (e *Erase) AppendTo(b []byte) []byte {
	b = wire.AppendString(wire.AppendString(b, e.Workspace), e.Customer)
	return wire.AppendFixed(b, e.Key)
}

// DecodeErase reads what AppendTo wrote.
func DecodeErase(p []byte) (Erase, error) {
	d := wire.NewDecoder(p)
	e := Erase{Workspace: d.String(), Customer: d.String(), Key: d.Fixed()}
	if err := d.Done(); err != nil {
		return Erase{}, fmt.Errorf("actors: erase: %w", err)
	}
	return e, nil
}
