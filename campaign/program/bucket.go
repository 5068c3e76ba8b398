package program

import (
	"crypto/sha256"
	"encoding/binary"
)

// Buckets is into how many equal parts customers fall.
const Buckets = 10_000

// Bucket is the part, 0 to 9,999, that a customer falls into: the first 8 bytes,
// big-endian, of SHA-256(salt, 0x00, customer id), modulo 10,000.
func Bucket(salt, customer string) int {
	b := make([]byte, 0, len(salt)+1+len(customer))
	b = append(append(append(b, salt...), 0), customer...)
	sum := sha256.Sum256(b)
	return int(binary.BigEndian.Uint64(sum[:8]) % Buckets)
}

// HoldsOut says whether a customer belongs to the campaign's control group.
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
