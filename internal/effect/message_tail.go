package effect

import (
	"fmt"

	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/internal/wire"
)

// What only some chains and goals have stands behind the rest of their rows: a tag, a
// length, that many bytes. Tags are never used again for something else.
const (
	tailHeldOut  = 10
	tailVariants = 30
	tailReversal = 31
)

func appendChainTail(b []byte, c *campaign.ChainRow) []byte {
	if c.HeldOut {
		b = wire.AppendUint(b, tailHeldOut)
		b = wire.AppendBytes(b, nil)
	}
	if len(c.Variants) > 0 {
		b = wire.AppendUint(b, tailVariants)
		b = wire.AppendBytes(b, campaign.AppendVariants(nil, c.Variants))
	}
	return b
}

func decodeChainTail(d *wire.Decoder, c *campaign.ChainRow) error {
	for d.Err() == nil && d.Len() > 0 {
		tag, body := d.Uint(), wire.NewDecoder(d.Bytes())
		switch tag {
		case tailHeldOut:
			c.HeldOut = true
		case tailVariants:
			c.Variants = campaign.DecodeVariants(body)
		default:
			return fmt.Errorf("%w: part %d of a chain", wire.ErrCorrupt, tag)
		}
		if err := body.Done(); err != nil {
			return err
		}
	}
	return nil
}

func appendGoalTail(b []byte, g *campaign.GoalRow) []byte {
	if g.Reversal {
		b = wire.AppendUint(b, tailReversal)
		b = wire.AppendBytes(b, nil)
	}
	return b
}

func decodeGoalTail(d *wire.Decoder, g *campaign.GoalRow) error {
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
