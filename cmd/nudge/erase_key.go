package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// eraseKey is the key of the hashes of erased customers that a server with this data
// directory has: as configured, else as it made it. Nil when there is none.
func eraseKey(data string) ([]byte, error) {
	given := os.Getenv("NUDGE_ERASE_KEY")
	if given == "" {
		path := filepath.Join(data, "node.json")
		text, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		var node struct {
			EraseKey string `json:"erase_key"`
		}
		if err := json.Unmarshal(text, &node); err != nil {
			return nil, fmt.Errorf("%s cannot be read: %w", path, err)
		}
		given = node.EraseKey
	}
	key, err := hex.DecodeString(given)
	if err != nil {
		return nil, fmt.Errorf("the erase key is not hexadecimal: %w", err)
	}
	return key, nil
}
