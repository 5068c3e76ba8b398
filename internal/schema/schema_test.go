package schema

import (
	"bytes"
	"os"
	"testing"
)

// The committed schema is up to date. REWRITE=1 writes it.
func TestCommitted(t *testing.T) {
	want, err := Build()
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("REWRITE") != "" {
		if err := os.WriteFile("campaign.json", want, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(JSON(), want) {
		t.Error("campaign.json is out of date; REWRITE=1 go test ./internal/schema -run TestCommitted writes it")
	}
}
