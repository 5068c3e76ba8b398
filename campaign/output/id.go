package output

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// ID names a chain or a delivery: the first 16 bytes of a SHA-256 over what it
// names, each part preceded by its length so that no two lists of parts collide.
type ID [16]byte

// String is the id as 32 hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// ParseID reads what String wrote; ok is false for anything else.
func ParseID(s string) (id ID, ok bool) {
	if len(s) != 2*len(id) {
		return ID{}, false
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return ID{}, false
	}
	return id, true
}

// ChainID is the stable id of a customer's run of a campaign. customer is the
// id under which the chain was entered.
func ChainID(workspace, campaign, customer, key string, entry uint32) ID {
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], entry)
	return NewID("chain", workspace, campaign, customer, key, string(n[:]))
}

// DeliveryID is the stable id, and the idempotency key, of one message.
// repetition counts how often the chain went back before.
func DeliveryID(chain ID, step, channel string, repetition uint32) ID {
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], repetition)
	return NewID("delivery", string(chain[:]), step, channel, string(n[:]))
}

// NewID returns the id that is a function of parts alone (L5): a hash of each with its length.
func NewID(parts ...string) (id ID) {
	h := sha256.New()
	var n [4]byte
	for _, p := range parts {
		binary.BigEndian.PutUint32(n[:], uint32(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	copy(id[:], h.Sum(nil))
	return id
}
