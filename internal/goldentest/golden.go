// Package goldentest compares stored formats with the bytes they had when their
// version was introduced. REWRITE=1 writes the files anew, which is right only
// together with a new version.
package goldentest

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// Bytes compares got with the golden file testdata/<name>.hex, which has lines of 32 bytes
// in hexadecimal, and reports a difference as an error of t. With REWRITE set it writes the
// file first.
func Bytes(t *testing.T, name string, got []byte) {
	t.Helper()
	file := "testdata/" + name + ".hex"
	if os.Getenv("REWRITE") != "" {
		if err := os.MkdirAll("testdata", 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(lines(got)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if lines(got) != string(want) {
		t.Errorf("%s: the bytes of a stored format changed\n got\n%swant\n%s", file, lines(got), want)
	}
}

// lines returns b in the form of a golden file.
func lines(b []byte) string {
	var s strings.Builder
	for len(b) > 0 {
		n := min(32, len(b))
		s.WriteString(hex.EncodeToString(b[:n]) + "\n")
		b = b[n:]
	}
	return s.String()
}
