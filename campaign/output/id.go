package output

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// ID names a chain or a delivery: the first 16 bytes of a SHA-256 over the parts that make it unique.
// It depends on nothing else (rule L5 of package campaign), so that a replay or another owner computes
// the same id and the receiver recognises a repetition.
type ID [16]byte

// String is the id as 32 hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// ParseID reads the form that String wrote: 32 hexadecimal digits. ok is false for anything else.
func ParseID(s string) (id ID, ok bool) {
	if len(s) != 2*len(id) {
		return ID{}, false
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return ID{}, false
	}
	return id, true
}

// ChainID returns the id of a customer's chain in a campaign. customer is the id under which the chain
// was entered: a chain that moved to another customer by a merge keeps its id. entry is the number of
// the entry, from 1.
func ChainID(workspace, campaign, customer, key string, entry uint32) ID {
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], entry)
	return NewID("chain", workspace, campaign, customer, key, string(n[:]))
}

// DeliveryID returns the id of one message of a chain. Receivers use it as the idempotency key.
// repetition is how often the chain had jumped back when it came to the step, which tells the messages
// of a loop apart.
func DeliveryID(chain ID, step, channel string, repetition uint32) ID {
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], repetition)
	return NewID("delivery", string(chain[:]), step, channel, string(n[:]))
}

// NewID returns the id that is a function of parts alone. Each part is hashed with its length before
// it, so that ("ab", "c") and ("a", "bc") have different ids.
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
