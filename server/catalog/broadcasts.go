package catalog

import (
	"sync"

	"github.com/nudge-engine/nudge/campaign/program"
)

// broadcastNames are the events that campaigns in force wait for as broadcasts. Every call
// without a customer asks, so they are found anew only when the definitions change.
type broadcastNames struct {
	mu       sync.RWMutex
	revision uint64 // of the definitions; 0: none were looked at
	events   map[string]map[string]bool
}

// Broadcasts reports whether a campaign in force waits for a broadcast of an event name.
func (c *Catalog) Broadcasts(workspace, event string) bool {
	revision := c.config.Control.Revision()
	c.awaited.mu.RLock()
	names, known := c.awaited.events[workspace]
	known = known && c.awaited.revision == revision
	c.awaited.mu.RUnlock()
	if !known {
		names = c.findBroadcasts(workspace, revision)
	}
	return names[event]
}

// findBroadcasts looks through all campaigns.
func (c *Catalog) findBroadcasts(workspace string, revision uint64) map[string]bool {
	c.awaited.mu.Lock()
	defer c.awaited.mu.Unlock()
	if names, ok := c.awaited.events[workspace]; ok && c.awaited.revision == revision {
		return names
	}
	names := map[string]bool{}
	for _, d := range c.config.Control.DocumentsOf(workspace, program.KindCampaign) {
		p, err := c.Compile(workspace, &d)
		if err != nil {
			continue
		}
		if t, ok := p.Campaign.Trigger.(*program.BroadcastTrigger); ok {
			names[t.Event] = true
		}
	}
	if c.awaited.revision != revision || c.awaited.events == nil {
		c.awaited.events, c.awaited.revision = map[string]map[string]bool{}, revision
	}
	c.awaited.events[workspace] = names
	return names
}
