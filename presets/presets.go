// Package presets is the library of campaigns to begin with, each with scenarios that test it,
// and the catalogue of the events that they and others ask for. It is for `nudge new` and
// `nudge events`. The files lie beside the code and are embedded; they are the same files that
// a reader of the repository sees, with comments.
//
// A preset is copied as text and not as data, so that its comments and its layout come along.
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

// files are the presets (*.yaml), what they share (workspace.yaml), and the catalogue
// (events/*.yaml).
//
//nudge:constant embedded, read only
//go:embed *.yaml events/*.yaml
var files embed.FS

// sharedFile has the channels and caps that several presets use. It is no preset.
const sharedFile = "workspace.yaml"

// Preset is a file with campaigns and their scenarios. All their names are the preset's, or
// begin with it and a dash, so that a copy can be renamed as a whole.
type Preset struct {
	// Name is the file's name without .yaml.
	Name string
	// Summary is what it does, in one line.
	Summary string
	// Needs are the events and traits it needs, in one line.
	Needs string
	// Text is the YAML of the file.
	Text []byte
}

// All returns the presets by name. An error means that the embedded files are broken, which
// tests rule out.
func All() ([]Preset, error) {
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("presets: %w", err)
	}
	var all []Preset
	// Glob returns names in order, which is the order of the presets.
	for _, name := range names {
		if name == sharedFile {
			continue
		}
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("presets: %w", err)
		}
		p := Preset{Name: strings.TrimSuffix(path.Base(name), ".yaml"), Text: text}
		// A test checks that each preset begins with these two lines.
		p.Summary, p.Needs = headOf(text)
		all = append(all, p)
	}
	return all, nil
}

// Find returns the preset of a name; the error lists those there are, and the one that was
// probably meant.
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

// headOf reads the two lines of comment at the top of a preset: what it does and what it
// needs.
func headOf(text []byte) (summary, needs string) {
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	second, _, _ := bytes.Cut(rest, []byte("\n"))
	return strings.TrimPrefix(string(first), "# "), strings.TrimPrefix(string(second), "# Needs: ")
}
