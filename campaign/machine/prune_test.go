package machine

import (
	"strconv"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// Of too many ended chains those go that ended first, whatever their campaign is called.
func TestPruneDropsTheOldest(t *testing.T) {
	window := &program.Program{Trigger: &program.EventTrigger{Name: "E"}, Goals: []program.Goal{{ID: "g", Window: 30 * unit.DayMillis}}}
	p, q := *window, *window
	p.Name, q.Name = "aa", "zz"
	m := New()
	m.Use(active.NewSet([]*program.Program{&p, &q}, map[string]uint64{}, 0))
	c := customer.New("w", "ann", 1, 1)
	for i := range customer.MaxEnded + 5 {
		c.AddChain(&customer.Chain{Campaign: "zz", Entry: uint32(i + 1), EnteredAt: 1, EndedAt: int64(i + 10), Outcome: output.Completed})
	}
	c.AddChain(&customer.Chain{Campaign: "aa", Entry: 1, EnteredAt: 1, EndedAt: 1000, Outcome: output.Completed})
	c.AddChain(&customer.Chain{Campaign: "aa", Entry: 2, EnteredAt: 1, Outcome: output.Active})
	m.begin(c, 2000, new(output.Output))
	m.chains.prune()
	var kept []string
	for _, ch := range c.Chains {
		if ch.Campaign == "aa" || ch.Entry < 9 {
			kept = append(kept, ch.Campaign+strconv.Itoa(int(ch.Entry)))
		}
	}
	if got := strings.Join(kept, " "); len(c.Chains) != customer.MaxEnded+1 || got != "aa1 aa2 zz7 zz8" {
		t.Errorf("%d chains, among them %s", len(c.Chains), got)
	}
}
