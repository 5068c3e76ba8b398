package sim

import (
	"context"
	"fmt"
	"time"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/sim/workload"
)

// longest is how long a chain can take, one version after the other: it may spend the
// longest time under each.
func (w *World) longest() int64 {
	longest := int64(0)
	for i := range w.applied {
		longest += workload.Longest(w.applied[i].Campaigns).Milliseconds()
	}
	return longest
}

// checkRest: after the heal the world comes to rest within what its chains can take.
func (w *World) checkRest(heal int64) {
	bound := w.longest() + maxTime + workload.Idle(w.load).Milliseconds()
	if w.err != nil || w.now <= heal+bound {
		return
	}
	queued, err := w.queued()
	if err != nil {
		w.fail(err)
		return
	}
	if w.now > heal+bound+queued {
		w.fail(fmt.Errorf("the world came to rest %v after the heal", time.Duration(w.now-heal)*time.Millisecond))
	}
}

// mostCapped is the longest time, in ms, until a place under a cap is free: a month.
const mostCapped = 31 * 24 * 3_600_000

// queued is how long sends that waited for a place under a cap can have waited for each
// other: the last of a customer waits for all that came before.
func (w *World) queued() (int64, error) {
	place := int64(0)
	for i := range w.applied {
		if w.applied[i].Policy == nil {
			continue
		}
		for _, c := range w.applied[i].Policy.Caps {
			place = max(place, c.Window.Milliseconds())
			if c.Per != "" {
				place = mostCapped
			}
		}
	}
	waited, most := map[string]int64{}, int64(0)
	for _, p := range w.parts {
		for n := uint64(1); n <= last(p.effects); n++ {
			raw, err := p.effects.Get(context.Background(), n)
			if err != nil {
				return 0, err
			}
			m, err := effect.DecodeMessage(raw.Data)
			if err != nil {
				return 0, err
			}
			for j := range m.Deliveries {
				if d := &m.Deliveries[j]; d.Status == output.StatusDefer && d.Reason == output.ReasonCap {
					waited[d.Customer]++
					most = max(most, waited[d.Customer])
				}
			}
		}
	}
	return most * place, nil
}
