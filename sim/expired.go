package sim

import (
	"maps"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/effect"
)

// forgotten are the customers who were, at some time. When they come again their chains
// begin with number 1, so their deliveries have the ids of those before and what became of
// them cannot be told apart here; the auditor looks at them all the same.
func (h *history) forgotten() map[string]bool {
	gone := map[string]bool{}
	for i := range h.messages {
		maps.Copy(gone, forgottenIn(&h.messages[i]))
	}
	return gone
}

// forgottenIn are those whom one message says to be forgotten. They had no delivery on its
// way, so what it hands off for them is of those who came again.
func forgottenIn(m *effect.Message) map[string]bool {
	var gone map[string]bool
	for i := range m.Decisions {
		if d := &m.Decisions[i]; d.Kind == output.Forgotten {
			if gone == nil {
				gone = map[string]bool{}
			}
			gone[d.Customer] = true
		}
	}
	return gone
}
