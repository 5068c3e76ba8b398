package parse

import (
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/program"
)

// instant reads a time with its offset, to the millisecond.
func (r *reader) instant(n *yaml.Node, what string, into *int64) {
	if r.drawn(Shape{Kind: ShapeInstant}) {
		return
	}
	if n.Kind != yaml.ScalarNode {
		r.fail(n, "%s must be a time, for example 2026-03-01T00:00:00Z", what)
		return
	}
	t, err := time.Parse(time.RFC3339Nano, n.Value)
	if err != nil || t.UnixMilli() <= 0 {
		r.fail(n, "%s %q is no time; write %s", what, n.Value, instantHint(n.Value))
		return
	}
	*into = t.UnixMilli()
}

// checkPeriod checks what from, until, recheck and existing say together with the rest.
func (r *reader) checkPeriod(n *yaml.Node, p *program.Program) {
	if p.From != 0 && p.Until != 0 && p.From >= p.Until {
		r.fail(n, "campaign: until must be after from")
	}
	if p.Recheck && p.Audience == nil && !r.flawed["campaign"]["audience"] && !r.flawed["campaign"]["recheck"] {
		r.fail(n, "campaign: recheck needs an audience")
	}
	if !p.Existing || p.Trigger == nil || r.flawed["trigger"]["?"] {
		return
	}
	if !p.OffersExisting() {
		r.fail(n, "campaign: existing: include needs a trigger count, inactivity, threshold or segment")
	}
}
