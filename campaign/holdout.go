package campaign

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/nudge-engine/nudge/internal/wire"
)

// Bucket is the bucket of a customer under a salt, 0 to 9,999: the first eight bytes
// of SHA-256(salt, 0x00, customer id), big-endian, modulo 10,000.
func Bucket(salt, customer string) int {
	h := sha256.New()
	h.Write([]byte(salt))
	h.Write([]byte{0})
	h.Write([]byte(customer))
	var sum [sha256.Size]byte
	return int(binary.BigEndian.Uint64(h.Sum(sum[:0])) % buckets)
}

// holdsOut says whether a customer belongs to the campaign's control group.
func (p *Program) holdsOut(customer string) bool {
	h := p.Policy.Holdout
	if h == nil {
		return false
	}
	salt := h.Salt
	if salt == "" {
		salt = p.Name
	}
	return Bucket(salt, customer) < h.Below
}

//nudge:constant read only
var heldOutSection = section[*Chain]{
	tag:    10,
	has:    func(ch *Chain) bool { return ch.HeldOut },
	append: func(ch *Chain, b []byte) []byte { return wire.AppendBool(b, ch.HeldOut) },
	decode: func(ch *Chain, d *wire.Decoder, _ Names) { ch.HeldOut = d.Bool() },
}
