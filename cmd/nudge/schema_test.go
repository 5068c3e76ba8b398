package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/nudge-engine/nudge/internal/schema"
)

// nudge schema prints the committed schema.
func TestSchema(t *testing.T) {
	code, out, errs := runTool(t, "schema")
	if code != 0 || !bytes.Equal([]byte(out), schema.JSON()) || !json.Valid([]byte(out)) {
		t.Errorf("exit %d: %.200s%s", code, out, errs)
	}
}
