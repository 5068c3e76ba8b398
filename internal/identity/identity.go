// Package identity reads and writes node.json, in which a data directory keeps the id of
// its node and the secrets that were made there. The server makes the file; the tools on
// the same machine find the keys in it.
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

// MinKey is the fewest bytes that a key or a password may have.
const MinKey = 16

// fileName is the file in the data directory.
const fileName = "node.json"

// secretBytes is how long a secret is that is made here, before its hexadecimal form.
const secretBytes = 24

// Identity is what node.json has. A secret is there only when it was made there: what a
// setting says goes before, and is not kept.
type Identity struct {
	Node           string `json:"node"`
	WriteKey       string `json:"write_key,omitempty"`
	AdminKey       string `json:"admin_key,omitempty"`
	ReaderPassword string `json:"reader_password,omitempty"`
	EraseKey       string `json:"erase_key,omitempty"` // hexadecimal
	Log            string `json:"log,omitempty"`       // id of the log that the directory is of
}

// Path is where the file of a data directory lies.
func Path(dataDir string) string { return filepath.Join(dataDir, fileName) }

// Read reads the file of a data directory. The error is os.ErrNotExist when there is none.
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

// Fill makes each secret that is missing, unless its setting is given.
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

// Save writes the file whole or not at all, readable by its owner alone.
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
