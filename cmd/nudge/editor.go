package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/nudge-engine/nudge/internal/schema"
)

// schemaFile is the JSON Schema beside definitions, for editors. Its name begins with a dot,
// so that it is not read as a definition.
const schemaFile = ".schema.json"

// modeline tells editors that speak yaml-language-server where the schema is. It counts only
// for the document in which it stands.
const modeline = "# yaml-language-server: $schema=" + schemaFile + "\n"

// forEditors inserts modeline into each document that follows a "---". The first document of a
// file has none before it and gets its line from the caller.
func forEditors(text []byte) []byte {
	return bytes.ReplaceAll(text, []byte("\n---\n"), []byte("\n---\n"+modeline))
}

// writeSchema writes the schema of this version into a directory, in place of one that is
// there.
func writeSchema(dir string) error {
	if err := os.WriteFile(filepath.Join(dir, schemaFile), schema.JSON(), 0o600); err != nil {
		return fmt.Errorf("new: %w", err)
	}
	return nil
}
