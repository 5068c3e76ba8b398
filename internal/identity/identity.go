// Package identity reads and writes node.json, the file in which a data directory keeps the
// id of its node and the secrets that were made for it. The server makes the file at its
// first start; tools on the same machine read the keys in it, so that they need no
// settings.
package identity

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// MinKey is the smallest number of bytes that a key or a password may have. Guessing one of
// that length over the network is hopeless, if it is random.
const MinKey = 16

// fileName is the name of the file in the data directory.
const fileName = "node.json"

// secretBytes is the number of random bytes of a secret made here. It is written in
// hexadecimal, which doubles it.
const secretBytes = 24

// Identity is the content of node.json. A secret is in it only where it was made here: one
// that is given as a setting has precedence and is not written down.
type Identity struct {
	// Node is the id of the node; every valid file has one.
	Node string `json:"node"`
	// The keys and the password are shown to clients with a prefix that tells what they are
	// for.
	WriteKey       string `json:"write_key,omitempty"`
	AdminKey       string `json:"admin_key,omitempty"`
	ReaderPassword string `json:"reader_password,omitempty"`
	// EraseKey is hexadecimal. Ids of erased customers are kept as hashes with this key.
	EraseKey string `json:"erase_key,omitempty"`
	// Log is the id of the log that the directory belongs to; empty until it is known.
	Log string `json:"log,omitempty"`
}

// Path returns the path of the file in a data directory.
func Path(dataDir string) string { return filepath.Join(dataDir, fileName) }

// Read reads the file of a data directory. The error is os.ErrNotExist where there is none.
func Read(dataDir string) (Identity, error) {
	var id Identity
	text, err := os.ReadFile(Path(dataDir))
	if err != nil {
		return id, err
	}
	if err := json.Unmarshal(text, &id); err != nil || id.Node == "" {
		return Identity{}, fmt.Errorf("%s is damaged: it is not a JSON object with a node", Path(dataDir))
	}
	return id, nil
}

// Fill makes each secret that is missing, unless a setting gives it. given has the
// settings.
func (id *Identity) Fill(given Identity) error {
	for _, s := range []struct {
		of     *string
		given  string
		prefix string
	}{
		{&id.WriteKey, given.WriteKey, "nudge_live_"},
		{&id.AdminKey, given.AdminKey, "nudge_admin_"},
		{&id.ReaderPassword, given.ReaderPassword, "nudge_reader_"},
		{&id.EraseKey, given.EraseKey, ""},
	} {
		if *s.of != "" || s.given != "" {
			continue
		}
		secret := make([]byte, secretBytes)
		if _, err := rand.Read(secret); err != nil {
			return fmt.Errorf("a secret cannot be made: %w", err)
		}
		*s.of = s.prefix + hex.EncodeToString(secret)
	}
	return nil
}

// Save writes the file, either whole or not at all, readable by its owner only. It writes a
// temporary file, syncs and renames it: a crash leaves the old file or the new one.
func (id *Identity) Save(dataDir string) error {
	path := Path(dataDir)
	text, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	temporary := path + ".new"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err // what a crash left could have another mode
	}
	f, err := os.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return syncDir(dataDir)
}

// syncDir makes a new name in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
