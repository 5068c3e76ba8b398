package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A dearer threshold lets fewer carts in: the difference says how many, and both
// reports are there.
func TestSimulateAgainst(t *testing.T) {
	other, result := t.TempDir(), t.TempDir()
	if err := os.CopyFS(other, os.DirFS("../../examples/shop")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(other, "cart-abandoned.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dearer := strings.Replace(string(text), "value >= 20", "value >= 100000", 1)
	if err := os.WriteFile(file, []byte(dearer), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := runTool(t, "simulate", "--campaigns", "../../examples/shop", "--events",
		"../../examples/shop/events.ndjson", "--out", result, "--against", other)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	_, changes, _ := strings.Cut(out, "against the other definitions")
	found := 0
	for line := range strings.Lines(changes) {
		cells := strings.Fields(line)
		switch {
		case len(cells) > 3 && cells[0] == "cart-abandoned":
			found++
			if cells[2] != "->" || cells[3] != "0" {
				t.Errorf("entered did not go to 0: %s", line)
			}
		case len(cells) > 1 && cells[0] == "first-order":
			found++
			if strings.Contains(line, "->") {
				t.Errorf("a campaign that is the same differs: %s", line)
			}
		}
	}
	if found != 2 {
		t.Errorf("the campaigns are not both there:\n%s", out)
	}
	for _, name := range []string{"summary.json", "against/summary.json"} {
		if _, err := os.Stat(filepath.Join(result, name)); err != nil {
			t.Error(err)
		}
	}
}
