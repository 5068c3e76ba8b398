package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/definition"
)

// usualDir is where campaigns are unless a command is told otherwise.
const usualDir = "campaigns"

// campaignsDir returns the directory that is meant when none is named: campaigns, if it
// exists; the current one, if it has definitions; else campaigns, which nudge new creates.
func campaignsDir() string {
	if info, err := os.Stat(usualDir); err == nil && info.IsDir() {
		return usualDir
	}
	// The current directory may be one of definitions, as in a repository of their own.
	files, err := definition.Read(".")
	if err != nil {
		return usualDir
	}
	for _, f := range files {
		if bytes.Contains(f.Text, []byte(program.APIVersion)) {
			return "."
		}
	}
	return usualDir
}

// pathsOr returns the paths that a command was given, or the directory that is meant without.
// A path that does not exist is an error that says what to do.
func pathsOr(paths []string) ([]string, error) {
	for _, path := range paths {
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("there is no file or directory %s: name the one that has your campaigns, or none "+
				"for %s", path, campaignsDir())
		}
	}
	// Paths that were given are taken as they are, files or directories.
	if len(paths) > 0 {
		return paths, nil
	}
	dir := campaignsDir()
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("there is no directory %s here: begin a campaign with "+
			"`nudge new my-campaign --preset cart-abandoned`, or name the directory that has yours", dir)
	}
	return []string{dir}, nil
}

// argument returns how a command that is shown names a directory: " dir", or nothing where the
// directory is meant anyway.
func argument(dir string) string {
	if dir == campaignsDir() {
		return ""
	}
	return " " + dir
}
