package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/nudge-engine/nudge/internal/listen"
	"github.com/nudge-engine/nudge/server/admin"
)

// openAdmin opens the admin address before all else, so that a start that takes long can be
// watched: until attachAdmin it answers health, readiness and metrics, and "starting" to the
// rest. When the address fails later, the server ends.
func (n *Node) openAdmin(context.Context) (err error) {
	if n.api, err = admin.New(admin.Config{
		Address: n.settings.AdminListen, AllowedHosts: n.settings.AllowedHosts, Key: n.keys.admin,
		Metrics: n.metrics, Ready: n.readiness, Redact: n.settings.Filter().Text,
	}); err != nil {
		return err
	}
	l, err := n.listenForAdmin()
	if err != nil {
		return err
	}
	// The limits on reading are far above what a request for definitions needs; they end
	// connections whose client hangs.
	n.admin = &http.Server{
		Handler:        n.api.Handler(),
		ReadTimeout:    30 * time.Second,
		WriteTimeout:   admin.LongestAnswer,
		IdleTimeout:    time.Minute,
		MaxHeaderBytes: 16 << 10,
		ErrorLog:       slog.NewLogLogger(n.log.Handler(), slog.LevelDebug),
	}
	listen.Bind(n.admin)
	go func() {
		if err := n.admin.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			n.failed <- fmt.Errorf("admin: %w", err)
		}
	}()
	return nil
}

// attachAdmin makes the admin address answer everything. All parts must be up.
func (n *Node) attachAdmin() {
	n.api.Attach(&admin.Parts{
		Workspace: workspaceName, Control: n.control, Engine: n.engine, Catalog: n.catalog, Deployer: n.deployer,
		Eraser: n.eraser, Clock: n.clock, Events: n.events, Warehouse: n.warehouse, Customer: n.customer,
	})
}

// applyDir puts the definitions of the configured directory in force; without one it only
// starts the channels. A directory with an error ends the start, so that a server never runs
// on other definitions than those it was given.
func (n *Node) applyDir(ctx context.Context) error {
	return n.deployer.ApplyDir(ctx, n.settings.CampaignsDir)
}
