package main

import (
	"context"
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"regexp"
)

// compiles builds the packages of a bug, and the simulator, with the bug planted.
func compiles(ctx context.Context, root string, b bug) error {
	dir, err := os.MkdirTemp("", "nudge-compile-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	patch, err := os.ReadFile(b.path)
	if err != nil {
		return err
	}
	overlay := struct{ Replace map[string]string }{Replace: map[string]string{}}
	args := []string{"build", "-overlay=" + filepath.Join(dir, "overlay.json"), "./sim"}
	for _, m := range regexp.MustCompile(`(?m)^\+\+\+ b/(.*)$`).FindAllStringSubmatch(string(patch), -1) {
		copied := filepath.Join(dir, m[1])
		if err := copyFile(filepath.Join(root, m[1]), copied); err != nil {
			return err
		}
		overlay.Replace[filepath.Join(root, m[1])] = copied
		args = append(args, "./"+path.Dir(m[1]))
	}
	if err := (&tree{root: dir}).apply(ctx, b); err != nil {
		return err
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		return err
	}
	if err := write(filepath.Join(dir, "overlay.json"), string(text)); err != nil {
		return err
	}
	_, err = command(ctx, root, "go", args...)
	return err
}
