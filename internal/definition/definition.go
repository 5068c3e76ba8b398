// Package definition reads the files that marketers write and turns them into what can be
// applied: parsed, checked against each other and against what is in force, with the
// variables of each message found.
//
// It is used by the server when definitions are applied, and by nudge check, test and
// simulate; so all of them accept the same files. Read reads files, Parse checks them,
// Advise warns of what is allowed but probably not meant. definition.go is where to begin;
// policy.go, calendars.go and texts.go have the checks, problems.go the order of errors.
package definition

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/nearest"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/message"
	"github.com/nudge-engine/nudge/sink/dispatch"
	"github.com/nudge-engine/nudge/sink/dispatch/egress"
)

// ConsoleChannel is the name of the channel that exists without a definition.
const ConsoleChannel = "console"

// File is the text of one definition file.
type File struct {
	// Name is the path or another name, for messages.
	Name string
	Text []byte
	// MayBeEmpty allows the file to define nothing, which otherwise is an error.
	MayBeEmpty bool
}

// Read reads one file, or the .yaml, .yml and .json files of a directory in the order of
// their names. Subdirectories are not read. Hidden files, whose names begin with a dot, are
// skipped, because editors and synchronisers leave them behind; one that is named
// explicitly is an error. A directory without any definition file is an error too.
func Read(path string) ([]File, error) {
	// A file that is named is read whatever its ending is.
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("definitions: %w", err)
	}
	if !info.IsDir() {
		if hidden(filepath.Base(path)) {
			return nil, fmt.Errorf("definitions: %s is hidden, as its name begins with a dot: hidden files are "+
				"passed over; "+
				"rename it to have it read", path)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("definitions: %w", err)
		}
		return []File{{Name: path, Text: text}}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("definitions: %w", err)
	}
	var files []File
	for _, e := range entries { // sorted by name
		ending := strings.ToLower(filepath.Ext(e.Name()))
		if e.IsDir() || hidden(e.Name()) || !slices.Contains([]string{".yaml", ".yml", ".json"}, ending) {
			continue
		}
		name := filepath.Join(path, e.Name())
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("definitions: %w", err)
		}
		files = append(files, File{Name: name, Text: text})
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("definitions: no .yaml, .yml or .json file in %s", path)
	}
	return files, nil
}

// hidden reports whether a file is hidden by its name.
func hidden(name string) bool { return strings.HasPrefix(name, ".") }

// Known is what is in force already, which files may refer to; empty for tools without a server.
type Known struct {
	Channels  []string
	Templates []program.Template
	Policies  []*program.Policy
	Campaigns []*program.Program
}

// Options control how references are checked.
type Options struct {
	Known Known
	// Egress is what channels may reach over the network. nil stands for the default, for
	// tools that do not know the settings of the server: this machine may be reached
	// without https.
	Egress *egress.Policy
	// Loose allows channels and templates to be undefined, for a simulation, which needs
	// neither.
	Loose bool
}

// Parse parses files and checks them together, against o.Known too. It returns all errors
// of all files at once, as parse.Errors joined by errors.Join, in the order of the files
// and of their lines; without an error it returns the documents in that order.
//
// Errors that only follow from another error are left out: nothing counts as undefined that
// a document which cannot be read may define.
func Parse(lang *expr.Language, files []File, o Options) ([]parse.Parsed, error) {
	var all []parse.Parsed
	var p problems
	where := map[string]*parse.Parsed{}
	var unread gaps
	for _, f := range files {
		// A file with errors still gives the documents that could be read, whose errors are
		// reported too.
		docs, err := parse.File(lang, f.Name, f.Text)
		if err != nil {
			p.addError(err)
			unread.add(docs)
		}
		if err == nil && len(docs) == 0 && !f.MayBeEmpty {
			p.add(&parse.Error{File: f.Name, Line: 1, Column: 1, Message: "nothing is defined in this file; " +
				"write a document (apiVersion, kind, metadata, spec), or remove the file"})
		}
		for i := range docs {
			d := &docs[i]
			p.add(d.Unsupported...)
			if d.Document.Name == "" { // there is an error already
				all = append(all, *d)
				continue
			}
			// A name may be defined once for each kind of document.
			key := d.Document.Kind + "/" + d.Document.Name
			if first := where[key]; first != nil {
				p.add(d.Error(parse.Spot{Field: "name"}, 0,
					"%s %q is defined already in %s:%d; give one another name",
					d.Document.Kind, d.Document.Name, first.File(), first.Line))
				continue
			}
			where[key] = d
			all = append(all, *d)
		}
	}
	// References are checked last, when all documents are known: files may refer to each
	// other.
	checkPolicies(all, where, o.Known, unread.policies, &p)
	if o.Loose {
		unread.channels, unread.templates = true, true
	}
	if o.Egress == nil {
		var err error
		if o.Egress, err = egress.Parse("127.0.0.0/8,::1"); err != nil {
			return nil, fmt.Errorf("definitions: %w", err)
		}
	}
	link(all, o, unread, &p)
	if err := p.err(files); err != nil {
		return nil, err
	}
	return all, nil
}

// gaps tells of which kinds of documents some could not be read, so that it is not known
// what they define.
type gaps struct{ channels, templates, policies bool }

// add notes which kinds of documents a file with errors might define, so that what other files
// refer to is not reported as missing. docs are those that could be read at least in part.
func (g *gaps) add(docs []parse.Parsed) {
	// The file could not be read at all, so it may define anything.
	if len(docs) == 0 {
		*g = gaps{channels: true, templates: true, policies: true}
	}
	for i := range docs {
		d := &docs[i]
		// A document whose kind could not be read may be of any kind, one without a name
		// may have any name. A policy defines several things, so one that is incomplete in
		// any way is a gap.
		anything := d.Incomplete && d.Document.Kind == ""
		unnamed := d.Incomplete && d.Document.Name == ""
		g.channels = g.channels || anything || unnamed && d.Document.Kind == program.KindChannel
		g.templates = g.templates || anything || unnamed && d.Document.Kind == program.KindTemplate
		g.policies = g.policies || anything || d.Incomplete && d.Document.Kind == program.KindPolicy
	}
}

// link checks what the documents refer to, one after the other:
//
//   - a channel can be made from its definition and may reach its address,
//   - the texts of a template are valid,
//   - the channels and the template of each send step are defined, and its texts are valid.
//
// It also finds the variables that each step needs and stores them in its document.
// References to what may be defined in a gap are not reported.
func link(all []parse.Parsed, o Options, unread gaps, p *problems) {
	// Documents of the files replace known ones of the same name.
	channels := append([]string{ConsoleChannel, program.CallChannel}, o.Known.Channels...)
	templates := map[string][]program.Field{}
	for _, t := range o.Known.Templates {
		templates[t.Name] = t.Fields
	}
	for _, d := range all {
		if d.Channel != nil {
			channels = append(channels, d.Channel.Name)
		}
		if d.Template != nil {
			templates[d.Template.Name] = d.Template.Fields
		}
	}
	r := message.NewRenderer()
	for i := range all {
		d := &all[i]
		// A channel is made for trial, so that the dispatcher's own checks apply.
		if d.Channel != nil && (d.Channel.URL != "" || !d.Incomplete) {
			spec := dispatch.ChannelSpec{URL: d.Channel.URL, Out: io.Discard, Egress: o.Egress}
			if _, err := dispatch.NewChannel(d.Channel.Type, spec); err != nil {
				p.add(d.Error(parse.Spot{Field: "url"}, 0, "channel %s: %v", d.Document.Name, err))
			}
		}
		if d.Template != nil {
			checkTexts(d, "", d.Template.Fields, r, p)
		}
		if d.Campaign == nil {
			continue
		}
		d.Campaign.Sends(func(step string, s *program.Send) {
			for _, c := range s.Channels {
				if !slices.Contains(channels, c) && !unread.channels && program.IsName(c) {
					p.add(d.Error(parse.Spot{Step: step, Field: "channel", Name: c}, 0,
						"step %s: channel %q is not defined; add a document of kind Channel, or use %s%s", step, c,
						ConsoleChannel, nearest.Hint(c, channels)))
				}
			}
			fields := s.Message.Fields
			if name := s.Message.Template; name != "" {
				known, ok := templates[name]
				if !ok && !unread.templates && program.IsName(name) {
					p.add(d.Error(parse.Spot{Step: step, Field: "template"}, 0,
						"step %s: template %q is not defined; add a document of kind Template%s", step, name,
						nearest.Hint(name, sorted(templates))))
				}
				fields = known
			} else {
				checkTexts(d, step, fields, r, p)
			}
			// The engine must know which values to capture at this step; it has no Liquid
			// itself.
			needs, err := r.Variables(fields)
			if err != nil || len(needs) == 0 { // errors are reported where the text is
				return
			}
			if d.Document.Needs == nil {
				d.Document.Needs = map[string][]program.Variable{}
			}
			d.Document.Needs[step] = needs
		})
	}
}
