// Package version tells from which commit a program was built, for --version and for the
// start of a log.
package version

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// String returns the version of the module, the commit with its date, and the platform, as
// the Go command put them into the program: "v0.0.0-... (commit 0f7606...,
// 2026-11-30T21:00:00Z, go1.26 linux/amd64)". "with changes" marks a build from a tree that
// differs from the commit.
func String() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	changed := ""
	if settings["vcs.modified"] == "true" {
		changed = " with changes"
	}
	return fmt.Sprintf("%s (commit %s%s, %s, %s %s/%s)", cmp.Or(info.Main.Version, "(devel)"),
		cmp.Or(settings["vcs.revision"], "unknown"), changed, cmp.Or(settings["vcs.time"], "date unknown"),
		runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
