package program

import (
	"crypto/sha256"
	"encoding/binary"
)

// Buckets is the number of equal parts into which customers are divided: a hundredth of a percent
// is the finest share that a holdout or a variant can have.
const Buckets = 10_000

// Bucket returns the part, 0 to 9,999, that a customer falls into: the first 8 bytes, big-endian,
// of SHA-256(salt, 0x00, customer id), modulo 10,000. A customer stays in their bucket without
// anything being stored, and other salts divide customers independently. The formula must not
// change: it would move customers out of control groups.
func Bucket(salt, customer string) int {
	b := make([]byte, 0, len(salt)+1+len(customer))
	b = append(append(append(b, salt...), 0), customer...)
	sum := sha256.Sum256(b)
	return int(binary.BigEndian.Uint64(sum[:8]) % Buckets)
}

// HoldsOut reports whether a customer belongs to the campaign's control group, which passes through
// the campaign without being sent anything.
func (p *Program) HoldsOut(customer string) bool {
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
