package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/internal/definition"
	"github.com/nudge-engine/nudge/presets"
)

// newCommand is `nudge new`: it writes a campaign into the directory of definitions, from a
// preset or as a copy.
type newCommand struct {
	Name string `arg:"" optional:"" help:"Name of the new campaign, and of its file."`
	// One of Preset and From says what to copy.
	Preset string `placeholder:"PRESET" help:"What to begin with; --list shows what there is."`
	From   string `placeholder:"CAMPAIGN" help:"A campaign of the directory to copy, instead of a preset."`
	// Dir is where the campaigns are; empty: see campaignsDir.
	Dir  string `placeholder:"DIR" help:"Where your campaigns are; made when it is not there. Without: campaigns."`
	List bool   `help:"List the presets."`
}

func (n *newCommand) Help() string {
	return `Copies a preset under your name into DIR/NAME.yaml: campaigns that work as they are,
and scenarios that show what they do. Nothing is overwritten. Channels and caps that
the preset uses and your directory does not define are added to DIR/workspace.yaml;
such a channel prints to the console until you give it a type.

An editor that speaks yaml-language-server completes and checks the files by
DIR/.schema.json, which each document names.

Then make it yours: texts, times, audience. After each change play the scenarios, and
change them where you mean something else; apply it when they hold.

With --from it copies a campaign of DIR instead, with its scenarios.

Your campaigns are in the directory campaigns, unless the present one has some itself;
nudge test, check and apply look there too.

Example:
  nudge new --list
  nudge new spring-carts --preset cart-abandoned
  nudge check
  nudge test --only spring-carts
  nudge apply
  nudge new summer-carts --from spring-carts

What the events are called and look like: nudge events`
}

// Run writes the new file. The steps: find what to copy, put it under the new name, check it
// together with what the directory has, and only then write the file, the schema and what
// workspace.yaml lacks. Nothing that exists is overwritten but the schema.
func (n *newCommand) Run(out console) error {
	if n.List {
		return n.list(out)
	}
	if n.Name == "" || (n.Preset == "") == (n.From == "") {
		return errors.New("a name and --preset are needed, or --from, for example: " +
			"nudge new spring-carts --preset cart-abandoned; --list shows the presets")
	}
	// Every document of the copy gets the name; checked with them it would be an error in each.
	if err := parse.CheckName(n.Name); err != nil {
		return fmt.Errorf("the name %w; nothing was written", err)
	}
	if n.Dir == "" {
		n.Dir = campaignsDir()
	}
	preset, err := n.begin()
	if err != nil {
		return err
	}
	// All names in the copy begin with the new one, so that it does not collide with another
	// copy.
	text, err := preset.As(n.Name)
	if err != nil {
		return err
	}
	// workspace.yaml has what several campaigns of a directory share.
	path, shared := filepath.Join(n.Dir, n.Name+".yaml"), filepath.Join(n.Dir, "workspace.yaml")
	// Nothing is written before this has passed.
	add, names, err := n.fits(path, text)
	if err != nil {
		return err
	}
	if err := writeNew(path, append([]byte(modeline), forEditors(text)...)); err != nil {
		return err
	}
	// The schema of this version replaces one that an earlier version wrote.
	if err := writeSchema(n.Dir); err != nil {
		return err
	}
	fmt.Fprintf(out.out, "%s: %s\n", path, preset.Summary)
	if len(names) > 0 {
		if err := appendShared(shared, add); err != nil {
			return err
		}
		fmt.Fprintf(out.out, "%s: added %s\n", shared, strings.Join(names, ", "))
	}
	dir := argument(n.Dir)
	fmt.Fprintf(out.out, "It needs %s.\n\nNext:\n%s", strings.TrimSuffix(preset.Needs, "."),
		next(out.self(), n.Name, dir))
	return nil
}

// begin returns what the new campaign begins with: a preset or a campaign of the directory.
func (n *newCommand) begin() (presets.Preset, error) {
	if n.From != "" {
		return n.cloned()
	}
	return presets.Find(n.Preset)
}

// list prints the presets.
func (n *newCommand) list(out console) error {
	all, err := presets.All()
	if err != nil {
		return err
	}
	for _, p := range all {
		fmt.Fprintf(out.out, "%-18s %s\n", p.Name, p.Summary)
	}
	return nil
}

// fits checks the new file together with what the directory has. It returns the documents that
// must be added to workspace.yaml for it, and their names. A file of that name is an error,
// also one that differs in upper and lower case only.
func (n *newCommand) fits(path string, text []byte) (add []byte, names []string, err error) {
	var there []definition.File
	var texts [][]byte
	found, globErr := filepath.Glob(filepath.Join(n.Dir, "*"))
	for _, f := range found {
		switch {
		case f == path:
			return nil, nil, fmt.Errorf("%s is there already; choose another name, or remove it", path)
		// A directory that goes through git or a share to another system would lose one of the
		// two files.
		case strings.EqualFold(f, path):
			return nil, nil, fmt.Errorf("%s is there already, and %s differs from it in upper and lower case only: "+
				"on macOS and Windows both are one file; choose another name", f, filepath.Base(path))
		}
	}
	if globErr == nil && len(found) > 0 {
		// A directory without definitions is as good as an empty one.
		if there, err = definition.Read(n.Dir); err != nil {
			there = nil
		}
	}
	for _, f := range there {
		texts = append(texts, f.Text)
	}
	// What the preset uses and the directory lacks: channels and caps.
	if add, names, err = presets.Shared(text, texts...); err != nil {
		return nil, nil, err
	}
	lang, err := expr.NewLanguage()
	if err != nil {
		return nil, nil, err
	}
	there = append(there, definition.File{Name: path, Text: text},
		definition.File{Name: "workspace", Text: add, MayBeEmpty: true})
	// Channels of the directory's other campaigns may be known to the server alone.
	if _, err := definition.Parse(lang, there, definition.Options{Loose: true}); err != nil {
		return nil, nil, fmt.Errorf("with the new file the definitions would have errors; nothing was written\n%w", err)
	}
	return add, names, nil
}

// writeNew writes a file that must not exist yet. It creates the directory.
func writeNew(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("new: %w", err)
	}
	// O_EXCL: a file that came into being since fits looked is not overwritten.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("new: %w", err)
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

// appendShared adds documents to a file, which gets a head with an explanation when it is new.
// What is there stays as it is.
func appendShared(path string, add []byte) error {
	// O_APPEND: what others wrote stays.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("new: %w", err)
	}
	if info, statErr := f.Stat(); statErr == nil && info.Size() == 0 {
		head, headErr := presets.SharedHead()
		if headErr != nil {
			return errors.Join(headErr, f.Close())
		}
		add = append(head, add...)
	}
	_, err = f.Write(forEditors(append([]byte("\n"), add...))[1:])
	return errors.Join(err, f.Close())
}
