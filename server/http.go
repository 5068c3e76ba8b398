package server

import (
	"context"
	"encoding/json"
	"time"

	"github.com/nudge-engine/nudge/ingest"
)

// openHTTP opens the public address and serves it in a goroutine of its own. It is the last
// step of a start: from here on events are taken.
func (n *Node) openHTTP(context.Context) error {
	// Sources are read now and not when settings are checked: one of them must not have the
	// write key, which may just have been made.
	sources, err := readSources(n.settings.SourcesFile, n.keys.write)
	if err != nil {
		return err
	}
	n.server = ingest.New(ingest.Config{
		Keys:       map[string]string{n.keys.write: workspaceName},
		Sources:    sources,
		Publisher:  n.publisher,
		Clock:      n.clock.Now,
		Admit:      n.guard.Admit,
		Ready:      n.ready,
		Customer:   n.customer,
		Hook:       n.catalog.Hook,
		Broadcasts: n.catalog.Broadcasts,
		Known:      n.known,
		Metrics:    n.metrics,
		Logger:     n.log,
		Origins:    n.settings.CORSOrigins,
		RatePerKey: n.settings.RatePerKey,
	})
	l, err := n.listenForEvents()
	if err != nil {
		return err
	}
	go func() {
		if err := n.server.Serve(l); err != nil {
			n.failed <- err
		}
	}()
	return nil
}

// customer returns what is known of a customer as JSON; nil when no event of theirs was seen.
// It asks the customer's shard and fails when that one is halted or stopping.
func (n *Node) customer(ctx context.Context, workspace, id string) ([]byte, error) {
	view, err := n.engine.View(ctx, workspace, id)
	if err != nil || view == nil {
		return nil, err
	}
	return json.MarshalIndent(view, "", "  ")
}

// knownLimit is how long an alias call waits for the shard of its previousId. A shard that
// takes longer is catching up with its log; the call then fails and can be sent again.
const knownLimit = 5 * time.Second

// known reports whether a customer with that id was ever seen. Ingest asks before it accepts a
// merge.
func (n *Node) known(workspace, id string) (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), knownLimit)
	defer cancel()
	view, err := n.engine.View(ctx, workspace, id)
	return view != nil, err
}
