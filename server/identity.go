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

// keys are the identities and secrets that are in force: what a setting says, else what
// node.json has. They do not change while the server runs.
type keys struct {
	// node is the random id of this data directory; claims and the lease name it.
	node string
	// write and admin are the keys of the public and of the admin address, as text.
	write string
	admin string
	// reader is the password of ClickHouse's user "reader".
	reader string
	// erase keys the hashes of erased customers; identity.MinKey bytes or more.
	erase []byte
	// log is the id of the log that node.json names; empty until the first start is complete.
	log string
	// made has the keys that were created at this start, as `nudge key` names them; their owner
	// must be told where they are.
	made []string
}

// newID returns a random id (UUID version 4).
func newID() string { return uuid.NewString() }

// loadKeys reads node.json, creates the secrets that neither the file nor a setting has, and
// stores them before anything uses them. A secret that comes from a setting is not written to
// the file. The error is about the file or a key that is too short.
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
	// Fill may change nothing; then the file is not written, so that a directory that cannot
	// be written to still serves a server that has all keys from settings.
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
	}
	for _, secret := range []struct{ name, was, is string }{
		{"write", before.WriteKey, id.WriteKey},
		{"admin", before.AdminKey, id.AdminKey},
		{"reader", before.ReaderPassword, id.ReaderPassword},
	} {
		if secret.is != secret.was {
			k.made = append(k.made, secret.name)
		}
	}
	k.erase, err = hex.DecodeString(cmp.Or(given.EraseKey, id.EraseKey))
	if err != nil || len(k.erase) < identity.MinKey {
		return k, fmt.Errorf("erase_key: %d bytes or more are needed, in hexadecimal", identity.MinKey)
	}
	return k, nil
}
