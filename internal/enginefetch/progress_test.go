package enginefetch

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestReportWithoutTerminal: logs get lines, not the control codes of a bar.
func TestReportWithoutTerminal(t *testing.T) {
	var out bytes.Buffer
	report, finish, _ := reporter(&out, 200e6)
	report(50e6)
	finish(true)
	if got, want := out.String(), "ClickHouse engine: 50 of 200 MB (25 %)\n"; got != want {
		t.Fatalf("unexpected report %q; want %q", got, want)
	}
}

func TestSizeOfAddsUpAndForgivesWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	if got := sizeOf(filepath.Join(dir, "missing")); got != 0 {
		t.Fatalf("unexpected size of nothing: %d", got)
	}
	sub := filepath.Join(dir, "a", "b")
	err := errors.Join(os.MkdirAll(sub, 0o700),
		os.WriteFile(filepath.Join(dir, "x"), make([]byte, 10), 0o600),
		os.WriteFile(filepath.Join(sub, "y"), make([]byte, 5), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	if got := sizeOf(dir); got != 15 {
		t.Fatalf("unexpected size: %d; want 15", got)
	}
}
