package server

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"github.com/google/uuid"

	"github.com/nudge-engine/nudge/internal/identity"
)

// keys are the secrets that are in force: what a setting says, else what node.json has.
type keys struct {
	node   string
	write  string
	admin  string
	reader string // password of ClickHouse's user "reader"
	erase  []byte
	log    string // id of the log that node.json names; empty: none yet
	made   bool   // at this start
}

func newID() string { return uuid.NewString() }

// loadKeys reads node.json, and makes what is missing there.
func loadKeys(c *Settings) (keys, error) {
	id, err := identity.Read(c.DataDir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		id = identity.Identity{Node: newID()}
	case err != nil:
		return keys{}, err
	}
	given := identity.Identity{
		WriteKey: c.WriteKey.Reveal(), AdminKey: c.AdminKey.Reveal(),
		ReaderPassword: c.ClickhousePassword.Reveal(), EraseKey: c.EraseKey.Reveal(),
	}
	before := id
	if err := id.Fill(given); err != nil {
		return keys{}, err
	}
	if id != before {
		if err := id.Save(c.DataDir); err != nil {
			return keys{}, err
		}
	}
	k := keys{
		node: id.Node, write: cmp.Or(given.WriteKey, id.WriteKey), admin: cmp.Or(given.AdminKey, id.AdminKey),
		log:    id.Log,
		reader: cmp.Or(given.ReaderPassword, id.ReaderPassword),
		made: id.WriteKey != before.WriteKey || id.AdminKey != before.AdminKey ||
			id.ReaderPassword != before.ReaderPassword,
	}
	k.erase, err = hex.DecodeString(cmp.Or(given.EraseKey, id.EraseKey))
	if err != nil || len(k.erase) < identity.MinKey {
		return k, fmt.Errorf("erase_key: %d bytes or more are needed, in hexadecimal", identity.MinKey)
	}
	return k, nil
}
