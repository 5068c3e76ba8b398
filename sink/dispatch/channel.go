package dispatch

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/sink/dispatch/egress"
)

// Outgoing is one attempt at a delivery, rendered.
type Outgoing struct {
	Delivery output.Delivery
	Message  []program.Field // rendered texts in the order written
}

// Channel is the seam to a way out. Implementations are safe for concurrent use
// and keep to ctx.
type Channel interface {
	// Send makes one attempt. The delivery's id is its idempotency key: attempts
	// of one delivery share it.
	Send(ctx context.Context, o *Outgoing) Outcome
}

// ChannelSpec is what a channel is made of, beside its type.
type ChannelSpec struct {
	URL    string         // of a webhook
	Out    io.Writer      // of a console
	Egress *egress.Policy // what may be reached
}

// NewChannel makes a channel of a type. It is asked when definitions are checked and when they
// are put in force, so that no type and no URL passes that cannot be sent with.
func NewChannel(kind string, s ChannelSpec) (Channel, error) {
	switch kind {
	case program.ChannelConsole:
		return NewConsole(s.Out), nil
	case program.ChannelWebhook:
		if err := s.Egress.CheckURL(s.URL); err != nil {
			return nil, fmt.Errorf("url: %w", err)
		}
		return newWebhook(s.URL, s.Egress), nil
	}
	return nil, fmt.Errorf("type: %q is no type of channel; there are %s", kind,
		strings.Join(program.ChannelTypes(), ", "))
}

// Outcome is how an attempt ended.
type Outcome struct {
	Verdict output.Verdict
	Reason  output.Reason // of a Permanent that is not the channel's; empty for others
	Detail  string        // what the channel said: one line without secrets, at most maxDetail bytes
}
