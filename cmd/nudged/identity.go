package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/google/uuid"
)

// identity is what a data directory remembers of its node.
type identity struct {
	Node     string `json:"node"`
	WriteKey string `json:"write_key,omitempty"` // only when it was made here
	Made     bool   `json:"-"`                   // made at this start
	EraseKey string `json:"erase_key,omitempty"` // hexadecimal; only when it was made here

	eraseKey []byte
}

func newID() string { return uuid.NewString() }

// loadIdentity reads node.json, and makes it at the first start.
func loadIdentity(c *Config) (identity, error) {
	path := c.path("node.json")
	var id identity
	text, err := os.ReadFile(path)
	switch {
	case err == nil:
		if err := json.Unmarshal(text, &id); err != nil || id.Node == "" {
			return id, fmt.Errorf("%s cannot be read: %w", path, err)
		}
	case errors.Is(err, os.ErrNotExist):
		id.Node = newID()
	default:
		return id, fmt.Errorf("data_dir: %w", err)
	}
	if c.WriteKey == "" && id.WriteKey == "" {
		secret := make([]byte, 24)
		if _, err := rand.Read(secret); err != nil {
			return id, fmt.Errorf("write key: %w", err)
		}
		id.WriteKey, id.Made = "nudge_live_"+hex.EncodeToString(secret), true
	}
	if c.EraseKey == "" && id.EraseKey == "" {
		secret := make([]byte, 32)
		if _, err := rand.Read(secret); err != nil {
			return id, fmt.Errorf("erase key: %w", err)
		}
		id.EraseKey = hex.EncodeToString(secret)
	}
	if err := id.save(path); err != nil {
		return id, err
	}
	if c.WriteKey != "" {
		id.WriteKey = c.WriteKey
	}
	if c.EraseKey != "" {
		id.EraseKey = c.EraseKey
	}
	if id.eraseKey, err = hex.DecodeString(id.EraseKey); err != nil || len(id.eraseKey) < minEraseKey {
		return id, fmt.Errorf("erase_key: %d bytes or more are needed, in hexadecimal", minEraseKey)
	}
	return id, nil
}

const minEraseKey = 16 // bytes

// save writes the file whole or not at all.
func (id identity) save(path string) error {
	text, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	temporary := path + ".new"
	f, err := os.OpenFile(
		temporary,
		os.O_CREATE|os.O_TRUNC|os.O_WRONLY,
		0o600,
	)
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
	return nil
}
