package server

import (
	"cmp"
	"context"
	"strconv"

	"github.com/nudge-engine/nudge/actors/shard/erase"
	"github.com/nudge-engine/nudge/internal/identity"
	"github.com/nudge-engine/nudge/internal/parts"
)

// checkParts stops the start when a part of the data is missing or of another directory,
// before anything is made anew.
func (n *Node) checkParts(ctx context.Context) (err error) {
	if n.parts, err = parts.Open(n.logStore, n.logStore, n.store); err != nil {
		return err
	}
	return n.parts.Check(ctx, n.givenParts())
}

func (n *Node) givenParts() parts.Given {
	return parts.Given{
		Node: n.keys.node, NodeLog: n.keys.log, Rows: n.rows,
		EraseKey: strconv.FormatUint(erase.Fingerprint(n.keys.erase), 16),
	}
}

// completeParts has the parts name each other. node.json is the last: with it the directory
// is known to be complete.
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
