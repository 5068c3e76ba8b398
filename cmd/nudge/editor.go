package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/nudge-engine/nudge/internal/schema"
)

// schemaFile is the schema beside definitions, for editors. Its name begins with a dot, so
// that it is not read as a definition.
const schemaFile = ".schema.json"

// modeline tells editors that speak yaml-language-server of the schema. It counts for the
// document that it stands in only.
const modeline = "# yaml-language-server: $schema=" + schemaFile + "\n"

// forEditors puts the line for editors into each document that follows a "---".
func forEditors(text []byte) []byte {
	return bytes.ReplaceAll(text, []byte("\n---\n"), []byte("\n---\n"+modeline))
}

// writeSchema puts the schema of this version into a directory.
func writeSchema(dir string) error {
	if err := os.WriteFile(filepath.Join(dir, schemaFile), schema.JSON(), 0o600); err != nil {
		return fmt.Errorf("new: %w", err)
	}
	return nil
}
