// Package presets is the library of campaigns to begin with, each with scenarios
// that test it, and the catalogue of the events that they and others ask for.
package presets

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/nudge-engine/nudge/campaign/nearest"
)

// files are the presets (*.yaml), what they share (workspace.yaml), and the
// catalogue (events/*.yaml).
//
//nudge:constant embedded, read only
//go:embed *.yaml events/*.yaml
var files embed.FS

// sharedFile has the channels and caps that several presets use.
const sharedFile = "workspace.yaml"

// Preset is a file with campaigns and their scenarios. All their names begin with
// the preset's.
type Preset struct {
	Name    string
	Summary string // what it does, one line
	Needs   string // the events and traits it needs, one line
	Text    []byte // YAML
}

// All are the presets by name.
func All() ([]Preset, error) {
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("presets: %w", err)
	}
	var all []Preset
	for _, name := range names {
		if name == sharedFile {
			continue
		}
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("presets: %w", err)
		}
		p := Preset{Name: strings.TrimSuffix(path.Base(name), ".yaml"), Text: text}
		p.Summary, p.Needs = headOf(text)
		all = append(all, p)
	}
	return all, nil
}

// Find gives the preset of a name; the error lists those there are.
func Find(name string) (Preset, error) {
	all, err := All()
	if err != nil {
		return Preset{}, err
	}
	var names []string
	for _, p := range all {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Preset{}, fmt.Errorf("there is no preset %q; there are %s%s", name, strings.Join(names, ", "),
		nearest.Hint(name, names))
}

// headOf reads the two lines of comment on top of a preset.
func headOf(text []byte) (summary, needs string) {
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	second, _, _ := bytes.Cut(rest, []byte("\n"))
	return strings.TrimPrefix(string(first), "# "), strings.TrimPrefix(string(second), "# Needs: ")
}
