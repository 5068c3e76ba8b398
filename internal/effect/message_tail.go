package effect

import (
	"fmt"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/wire"
)

// What only some deliveries, chains and goals have comes after the rest of their rows: a tag, a
// length, that many bytes. Tags are never used again for something else.
const (
	tailHeldOut  = 10
	tailVariants = 30
	tailReversal = 31
	tailCurrency = 32
	tailDetail   = 40
)

// appendDeliveryTail appends what only some deliveries have. Rows without a tail keep the
// bytes that they had before tails existed.
func appendDeliveryTail(b []byte, d *output.Delivery) []byte {
	if d.Detail != "" {
		b = wire.AppendUint(b, tailDetail)
		b = wire.AppendString(b, d.Detail)
	}
	return b
}

// decodeDeliveryTail reads what appendDeliveryTail wrote. An unknown tag comes from a newer
// program and is an error, so that nothing is lost silently.
func decodeDeliveryTail(d *wire.Decoder, v *output.Delivery) error {
	for d.Err() == nil && d.Len() > 0 {
		if tag := d.Uint(); tag != tailDetail {
			return fmt.Errorf("%w: part %d of a delivery", wire.ErrCorrupt, tag)
		}
		v.Detail = d.String()
	}
	return nil
}

// appendChainTail appends what only some rows of chains have.
func appendChainTail(b []byte, c *output.ChainRow) []byte {
	if c.HeldOut {
		b = wire.AppendUint(b, tailHeldOut)
		b = wire.AppendBytes(b, nil)
	}
	if len(c.Variants) > 0 {
		b = wire.AppendUint(b, tailVariants)
		b = wire.AppendBytes(b, output.AppendVariants(nil, c.Variants))
	}
	if c.Currency != "" {
		b = wire.AppendUint(b, tailCurrency)
		b = wire.AppendBytes(b, wire.AppendString(nil, c.Currency))
	}
	return b
}

// decodeChainTail reads what appendChainTail wrote.
func decodeChainTail(d *wire.Decoder, c *output.ChainRow) error {
	for d.Err() == nil && d.Len() > 0 {
		tag, body := d.Uint(), wire.NewDecoder(d.Bytes())
		switch tag {
		case tailHeldOut:
			c.HeldOut = true
		case tailVariants:
			c.Variants = output.DecodeVariants(body)
		case tailCurrency:
			c.Currency = body.String()
		default:
			return fmt.Errorf("%w: part %d of a chain", wire.ErrCorrupt, tag)
		}
		if err := body.Done(); err != nil {
			return err
		}
	}
	return nil
}

// appendGoalTail appends what only some rows of goals have. A reversal has no body: the tag
// says it.
func appendGoalTail(b []byte, g *output.GoalRow) []byte {
	if g.Reversal {
		b = wire.AppendUint(b, tailReversal)
		b = wire.AppendBytes(b, nil)
	}
	return b
}

// decodeGoalTail reads what appendGoalTail wrote.
func decodeGoalTail(d *wire.Decoder, g *output.GoalRow) error {
	for d.Err() == nil && d.Len() > 0 {
		tag, body := d.Uint(), wire.NewDecoder(d.Bytes())
		if tag != tailReversal {
			return fmt.Errorf("%w: part %d of a goal", wire.ErrCorrupt, tag)
		}
		g.Reversal = true
		if err := body.Done(); err != nil {
			return err
		}
	}
	return nil
}
