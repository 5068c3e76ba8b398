package server

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"

	"github.com/nudge-engine/nudge/internal/listen"
)

const (
	// adminConnections is how many connections the admin address has room for: people, probes
	// and a scraper, with room to spare.
	adminConnections = 64

	// File descriptors that connections must leave free: for the store and ClickHouse's child,
	// and for the streams of each partition. A log that gets no descriptor cannot append.
	reservedFiles          = 256 + adminConnections
	reservedPartitionFiles = 12
)

// listenForEvents opens the public address. Its connections leave the file descriptors that
// the log and the store need. One client address gets at most half of the connections unless
// the settings say otherwise, so that a single client cannot lock the others out.
func (n *Node) listenForEvents() (*listen.Listener, error) {
	files, err := listen.FileLimit()
	if err != nil {
		return nil, err
	}
	reserve := reservedFiles + reservedPartitionFiles*len(n.events)
	total := n.settings.MaxConnections
	if total == 0 {
		total = listen.Connections(files, reserve)
	}
	// The server runs with what there is; somebody has to raise the limit before many connect.
	if files < reserve {
		n.log.Warn("the limit of open files is low; raise it (ulimit -n)",
			slog.Int("limit", files), slog.Int("needed", reserve+total))
	}
	perAddress := n.settings.MaxConnectionsPerAddress
	if perAddress == 0 {
		perAddress = max(total/2, 1)
	}
	l, err := n.listen("http_listen", n.settings.HTTPListen, listen.Options{Total: total, PerAddress: perAddress})
	if err != nil {
		return nil, err
	}
	n.countConnections("events", l)
	return l, nil
}

// listenForAdmin opens the admin address. Its connections are counted apart from those of the
// public address, so that it answers while that one is full.
func (n *Node) listenForAdmin() (*listen.Listener, error) {
	l, err := n.listen("admin_listen", n.settings.AdminListen, listen.Options{Total: adminConnections})
	if err != nil {
		return nil, err
	}
	n.countConnections("admin", l)
	return l, nil
}

// listen opens the TCP address of a setting with bounds on its connections. The error says how
// to choose another address: most often the usual one is taken by another server.
func (n *Node) listen(setting, address string, o listen.Options) (*listen.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s: the address cannot be used: %w; stop what listens there, or choose another one "+
			"with --%s or NUDGE_%s", setting, err, strings.ReplaceAll(setting, "_", "-"), strings.ToUpper(setting))
	}
	o.Logger = n.log
	return listen.New(l, o), nil
}

// countConnections registers the metrics about the connections of one address.
func (n *Node) countConnections(address string, l *listen.Listener) {
	show := func(name string, of func(listen.Stats) float64) {
		n.metrics.NewGauge(fmt.Sprintf(name, address), func() float64 { return of(l.Stats()) })
	}
	show(`nudge_connections{address=%q}`, func(s listen.Stats) float64 { return float64(s.Open) })
	show(`nudge_connections_closed_total{address=%q,reason="idle"}`,
		func(s listen.Stats) float64 { return float64(s.Closed) })
	show(`nudge_connections_closed_total{address=%q,reason="full"}`,
		func(s listen.Stats) float64 { return float64(s.Refused) })
	show(`nudge_accept_errors_total{address=%q}`, func(s listen.Stats) float64 { return float64(s.Errors) })
}
