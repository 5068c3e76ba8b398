package dispatch

import (
	"context"

	"github.com/nudge-engine/nudge/campaign"
)

// Outgoing is one attempt at a delivery, rendered.
type Outgoing struct {
	Delivery campaign.Delivery
	Message  []campaign.Field // rendered texts in the order written
}

// Channel is the seam to a way out. Implementations are safe for concurrent use
// and keep to ctx.
type Channel interface {
	// Send makes one attempt. The delivery's id is its idempotency key: attempts
	// of one delivery share it.
	Send(ctx context.Context, o *Outgoing) Outcome
}

// Outcome is how an attempt ended.
type Outcome struct {
	Verdict campaign.Verdict
	Detail  string // what the channel said
}
