// Package definition reads the files that marketers write and makes of them what
// can be applied: parsed, checked against each other, with the variables of each
// message found.
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

// ConsoleChannel is the channel that always exists.
const ConsoleChannel = "console"

// File is one definition file.
type File struct {
	Name string // for messages
	Text []byte
	// MayBeEmpty lets the file define nothing.
	MayBeEmpty bool
}

// Read reads the .yaml, .yml and .json files of a directory, or one file, in the
// order of their names. Hidden files, whose names begin with a dot, are passed over: they
// are what editors and synchronisers leave behind. One that is asked for is an error.
func Read(path string) ([]File, error) {
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

func hidden(name string) bool { return strings.HasPrefix(name, ".") }

// Known is what is in force already and may be referred to.
type Known struct {
	Channels  []string
	Templates []program.Template
	Policies  []*program.Policy
	Campaigns []*program.Program
}

// Options say how strictly references are checked.
type Options struct {
	Known Known
	// Egress is what channels may reach; nil where the settings of the server are not known:
	// then this machine may be reached without https.
	Egress *egress.Policy
	// Loose lets channels and templates be unknown: a simulation needs neither.
	Loose bool
}

// Parse parses and checks files together. All errors of all files come at once, as
// parse.Errors joined with errors.Join, in the order of the files and their lines. What
// only follows from another error is left out: nothing is undefined that a document which
// cannot be read may define.
func Parse(lang *expr.Language, files []File, o Options) ([]parse.Parsed, error) {
	var all []parse.Parsed
	var p problems
	where := map[string]*parse.Parsed{}
	var unread gaps
	for _, f := range files {
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
	govern(all, where, o.Known, unread.policies, &p)
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

// gaps are the kinds of documents of which some could not be read, so that what they
// define is not known.
type gaps struct{ channels, templates, policies bool }

// add takes the documents of a file that has errors.
func (g *gaps) add(docs []parse.Parsed) {
	if len(docs) == 0 {
		*g = gaps{channels: true, templates: true, policies: true}
	}
	for i := range docs {
		d := &docs[i]
		anything := d.Incomplete && d.Document.Kind == ""
		unnamed := d.Incomplete && d.Document.Name == ""
		g.channels = g.channels || anything || unnamed && d.Document.Kind == program.KindChannel
		g.templates = g.templates || anything || unnamed && d.Document.Kind == program.KindTemplate
		g.policies = g.policies || anything || d.Incomplete && d.Document.Kind == program.KindPolicy
	}
}

// link resolves references between documents and finds the variables of messages. What may
// be defined in a gap is not looked for.
func link(all []parse.Parsed, o Options, unread gaps, p *problems) {
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
