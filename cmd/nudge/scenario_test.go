package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The scenarios of the example hold, and one that does not says where and what.
func TestScenarios(t *testing.T) {
	code, out, errs := runTool(t, "test", "../../examples/shop")
	if code != 0 || strings.Count(out, "ok    ") != 3 {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../examples/shop")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "scenarios.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	wrong := strings.Replace(string(text), "expect: [{step: remind, channel: console}]", "expect: []", 1)
	if err := os.WriteFile(filepath.Join(dir, "scenarios.yaml"), []byte(wrong), 0o600); err != nil {
		t.Fatal(err)
	}
	want := "FAIL  a-cart-is-left-and-bought-late\n      line 17: expected nothing; handed off " +
		"{campaign: cart-abandoned, step: remind, channel: console, customer: customer}\n"
	if code, out, errs = runTool(t, "test", dir); code != 1 || !strings.Contains(out, want) {
		t.Errorf("exit %d: %s%s; want %q", code, out, errs, want)
	}
	if code, out, errs = runTool(t, "test", dir, "--only", "cheap"); code != 0 {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if code, _, errs = runTool(t, "test", "../../examples/shop/come-back.yaml"); code != 1 || !strings.Contains(errs, "no scenario") {
		t.Errorf("without a scenario: exit %d: %s", code, errs)
	}
}
