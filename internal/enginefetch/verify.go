package enginefetch

import (
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"io"
	"os"
)

// HashError means that a tarball is not the pinned one. It has a type of its own because
// trying again is the wrong answer to it.
type HashError struct{ Got, Want string }

func (e *HashError) Error() string {
	return fmt.Sprintf("enginefetch: the fetched ClickHouse engine is not the pinned one, nothing was kept: its "+
		"hash is %s, deploy/clickhouse/engine.json wants %s; check which registry npm uses (`npm config get "+
		"registry`), and do not run what it gave", e.Got, e.Want)
}

// verify compares the hash of a file with the pin. npm checks the hash as well, but against
// what the registry says.
func verify(path, integrity string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("enginefetch: cannot open the fetched tarball: %w", err)
	}
	defer func() { _ = file.Close() }()
	h := sha512.New()
	if _, err := io.Copy(h, file); err != nil {
		return fmt.Errorf("enginefetch: cannot read the fetched tarball %q: %w", path, err)
	}
	got := "sha512-" + base64.StdEncoding.EncodeToString(h.Sum(nil))
	if got != integrity {
		return &HashError{Got: got, Want: integrity}
	}
	return nil
}
