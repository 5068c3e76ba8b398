package server

import (
	"cmp"
	"context"
	"strconv"

	"github.com/nudge-engine/nudge/actors/shard/erase"
	"github.com/nudge-engine/nudge/internal/identity"
	"github.com/nudge-engine/nudge/internal/parts"
)

// checkParts stops the start when a part of the data is missing or belongs to another
// directory. It must run before any part is opened: opening creates what is missing, and the
// loss could no longer be seen. The error wraps parts.ErrLost and says what to do.
func (n *Node) checkParts(ctx context.Context) (err error) {
	if n.parts, err = parts.Open(n.logStore, n.logStore, n.store); err != nil {
		return err
	}
	return n.parts.Check(ctx, n.givenParts())
}

// givenParts returns the identities that the parts outside the register state for themselves:
// node.json with the erase key, and the directory of the embedded ClickHouse.
func (n *Node) givenParts() parts.Given {
	return parts.Given{
		Node: n.keys.node, NodeLog: n.keys.log, Rows: n.rows,
		EraseKey: strconv.FormatUint(erase.Fingerprint(n.keys.erase), 16),
	}
}

// completeParts stores in each part which others it belongs to, so that the next start can
// tell when one is missing or was exchanged. It does so in this order, and each step can be
// repeated after a crash: the directory of the embedded ClickHouse, the register in the state,
// node.json. With the last one the directory is known to be complete.
func (n *Node) completeParts() error {
	rows := ""
	if n.rows.Embedded {
		rows = cmp.Or(n.rows.ID, newID())
		if n.rows.ID == "" {
			if err := parts.MarkRows(n.settings.path("clickhouse"), rows); err != nil {
				return err
			}
		}
	}
	log := n.control.Genesis().LogID
	if err := n.parts.Complete(log, n.givenParts(), rows); err != nil {
		return err
	}
	// node.json says so since an earlier start.
	if n.keys.log == log {
		return nil
	}
	id, err := identity.Read(n.settings.DataDir)
	if err != nil {
		return err
	}
	id.Log, n.keys.log = log, log
	return id.Save(n.settings.DataDir)
}
