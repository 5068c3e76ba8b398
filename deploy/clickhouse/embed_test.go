package clickhouse

import (
	"crypto/sha512"
	"encoding/base64"
	"strings"
	"testing"
)

// TestPinIsComplete guards the file that people edit by hand at an upgrade.
func TestPinIsComplete(t *testing.T) {
	pin, err := Engine()
	if err != nil {
		t.Fatal(err)
	}
	if pin.Version == "" || len(pin.Platforms) == 0 {
		t.Fatalf("unexpected empty pin: %+v", pin)
	}
	for platform, pkg := range pin.Platforms {
		if pkg.Name == "" || !strings.HasPrefix(pkg.Library, "package/") {
			t.Errorf("%s: unexpected package %q, library %q", platform, pkg.Name, pkg.Library)
		}
		if pkg.Integrity == "" {
			continue
		}
		sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(pkg.Integrity, "sha512-"))
		if err != nil || len(sum) != sha512.Size {
			t.Errorf("%s: unexpected integrity %q: %d bytes, %v; want %d bytes", platform, pkg.Integrity, len(sum),
				err, sha512.Size)
		}
		if pkg.PackedBytes <= 0 || pkg.LibraryBytes <= pkg.PackedBytes {
			t.Errorf("%s: unexpected sizes: packed %d, library %d", platform, pkg.PackedBytes, pkg.LibraryBytes)
		}
	}
}

func TestForSaysWhatToDo(t *testing.T) {
	pin, err := Engine()
	if err != nil {
		t.Fatal(err)
	}
	f := func(goos, goarch, want string) {
		t.Helper()
		pkg, err := pin.For(goos, goarch)
		if want == "" {
			if err != nil || pkg.Version != pin.Version {
				t.Fatalf("unexpected answer for %s/%s: %+v, %v", goos, goarch, pkg, err)
			}
			return
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Fatalf("unexpected error for %s/%s: %v; want one with %q", goos, goarch, err, want)
		}
	}
	f("linux", "amd64", "")
	f("linux", "arm64", "no verified hash")
	f("windows", "amd64", "external ClickHouse")
}
