package parts

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// rowsFile is the file that marks a directory of the embedded ClickHouse with an id.
const rowsFile = "nudge-id"

// ReadRows returns the state of the embedded ClickHouse's directory. It must be called
// before its server starts, which would fill an empty directory.
func ReadRows(dir string) (Rows, error) {
	rows := Rows{Embedded: true}
	text, err := os.ReadFile(filepath.Join(dir, rowsFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return rows, err
	}
	rows.ID = strings.TrimSpace(string(text))
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return rows, err
	}
	rows.Empty = true
	for _, e := range entries { // the lock alone is no data
		rows.Empty = rows.Empty && strings.HasSuffix(e.Name(), ".lock")
	}
	return rows, nil
}

// MarkRows marks the directory of the embedded ClickHouse, which must exist, with an id,
// durably.
func MarkRows(dir, id string) error {
	file := filepath.Join(dir, rowsFile)
	if err := os.WriteFile(file, []byte(id+"\n"), 0o600); err != nil {
		return fmt.Errorf("clickhouse: %w", err)
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
