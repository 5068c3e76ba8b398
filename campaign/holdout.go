package campaign

import (
	"github.com/nudge-engine/nudge/internal/wire"
)

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
