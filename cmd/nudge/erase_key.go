package main

import (
	"encoding/hex"
	"errors"
	"os"

	"github.com/nudge-engine/nudge/internal/identity"
)

// eraseKey is the key of the hashes of erased customers that a server with this data
// directory has: as configured, else as it made it. Nil when there is none.
func eraseKey(data string) ([]byte, error) {
	given := os.Getenv("NUDGE_ERASE_KEY")
	if given == "" {
		id, err := identity.Read(data)
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		given = id.EraseKey
	}
	key, err := hex.DecodeString(given)
	if err != nil {
		return nil, errors.New("the erase key is not hexadecimal")
	}
	return key, nil
}
