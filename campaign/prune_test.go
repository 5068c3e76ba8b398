package campaign

import (
	"strconv"
	"strings"
	"testing"
)

// Of too many ended chains those go that ended first, whatever their campaign is called.
func TestPruneDropsTheOldest(t *testing.T) {
	window := &Program{Trigger: &EventTrigger{Name: "E"}, Goals: []Goal{{ID: "g", Window: 30 * dayMillis}}}
	p, q := *window, *window
	p.Name, q.Name = "aa", "zz"
	m := NewMachine()
	m.Use(NewSet([]*Program{&p, &q}, map[string]uint64{}, 0))
	c := NewCustomer("w", "ann", 1, 1)
	for i := range maxEnded + 5 {
		c.addChain(&Chain{Campaign: "zz", Entry: uint32(i + 1), EnteredAt: 1, EndedAt: int64(i + 10), Outcome: Completed})
	}
	c.addChain(&Chain{Campaign: "aa", Entry: 1, EnteredAt: 1, EndedAt: 1000, Outcome: Completed})
	c.addChain(&Chain{Campaign: "aa", Entry: 2, EnteredAt: 1, Outcome: Active})
	m.begin(c, 2000, new(Output))
	m.prune()
	var kept []string
	for _, ch := range c.Chains {
		if ch.Campaign == "aa" || ch.Entry < 9 {
			kept = append(kept, ch.Campaign+strconv.Itoa(int(ch.Entry)))
		}
	}
	if got := strings.Join(kept, " "); len(c.Chains) != maxEnded+1 || got != "aa1 aa2 zz7 zz8" {
		t.Errorf("%d chains, among them %s", len(c.Chains), got)
	}
}
