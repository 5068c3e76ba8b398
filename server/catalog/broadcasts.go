package catalog

import (
	"sync"

	"github.com/nudge-engine/nudge/campaign/program"
)

// broadcastNames caches the events that campaigns in force wait for as broadcasts. Every call
// without a customer asks for them, so they are found anew only when the definitions change.
type broadcastNames struct {
	mu sync.RWMutex
	// revision is the revision of the definitions in which events was found; 0 before the first
	// look.
	revision uint64
	// events has the names by workspace. A map of names is never changed once it is here, so
	// readers need no lock for it.
	events map[string]map[string]bool
}

// Broadcasts reports whether a campaign in force waits for a broadcast of an event name. An
// event without a customer is refused when nothing waits for it.
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

// findBroadcasts looks through all campaigns of a workspace and caches the names under the
// revision that was read before: when definitions change meanwhile, the next call looks again.
func (c *Catalog) findBroadcasts(workspace string, revision uint64) map[string]bool {
	c.awaited.mu.Lock()
	defer c.awaited.mu.Unlock()
	// Another caller may have found them while this one waited for the lock.
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
	// A new revision drops the names of all workspaces.
	if c.awaited.revision != revision || c.awaited.events == nil {
		c.awaited.events, c.awaited.revision = map[string]map[string]bool{}, revision
	}
	c.awaited.events[workspace] = names
	return names
}
