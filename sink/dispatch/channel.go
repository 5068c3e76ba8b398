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

// Outgoing is one attempt of a delivery, rendered.
type Outgoing struct {
	Delivery output.Delivery
	Message  []program.Field // rendered texts in the order written
}

// Channel is a way out, to which messages are sent. Implementations are safe for
// concurrent use and return soon after ctx ends.
type Channel interface {
	// Send makes one attempt. The id of the delivery is its idempotency key: all attempts
	// of a delivery share it, so a receiver can recognise a repetition.
	Send(ctx context.Context, o *Outgoing) Outcome
}

// ChannelSpec is what a channel is made from, beside its type.
type ChannelSpec struct {
	URL    string         // of a webhook
	Out    io.Writer      // of a console
	Egress *egress.Policy // which addresses may be reached
}

// NewChannel makes a channel of a type. It is called when definitions are checked and
// again when they are used, so that no type and no URL is accepted that nothing can be
// sent with.
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
	Verdict output.Verdict // accepted, or failed: temporarily (the shard may retry) or permanently
	Reason  output.Reason  // why a permanent failure is not the channel's own; else empty
	Detail  string         // what the channel said: one line without secrets, at most maxDetail bytes
}
