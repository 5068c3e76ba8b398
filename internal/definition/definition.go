// Package definition reads the files that marketers write and makes of them what
// can be applied: parsed, checked against each other, with the variables of each
// message found.
package definition

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/sink/dispatch"
	"github.com/nudge-engine/nudge/sink/dispatch/egress"
	"github.com/nudge-engine/nudge/sink/dispatch/message"
)

// ConsoleChannel is the channel that always exists.
const ConsoleChannel = "console"

// File is one definition file.
type File struct {
	Name string // for messages
	Text []byte
}

// Read reads the .yaml, .yml and .json files of a directory, or one file, in the
// order of their names.
func Read(path string) ([]File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("definitions: %w", err)
	}
	if !info.IsDir() {
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
		if e.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".json"}, strings.ToLower(filepath.Ext(e.Name()))) {
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

// Known is what is in force already and may be referred to.
type Known struct {
	Channels  []string
	Templates []campaign.Template
	Policies  []*campaign.Policy
	Campaigns []*campaign.Program
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

// Parse parses and checks files together. All errors of all files come at once,
// as campaign.Errors joined with errors.Join; only what documents say of each other is
// not looked at while one of them cannot be read.
func Parse(lang *campaign.Language, files []File, o Options) ([]campaign.Parsed, error) {
	var all []campaign.Parsed
	var errs []error
	where := map[string]string{}
	unread := false
	for _, f := range files {
		docs, err := campaign.Parse(lang, f.Name, f.Text)
		if err != nil {
			errs = append(errs, err)
			unread = true
		}
		for _, d := range docs {
			if len(d.Unsupported) > 0 {
				errs = append(errs, d.Unsupported)
			}
			key := d.Document.Kind + "/" + d.Document.Name
			if first, twice := where[key]; twice {
				errs = append(
					errs,
					at(f.Name, d.Line, "%s %q is defined already in %s", d.Document.Kind, d.Document.Name, first),
				)
				continue
			}
			where[key] = fmt.Sprintf("%s:%d", f.Name, d.Line)
			all = append(all, d)
		}
	}
	if !unread {
		errs = append(errs, govern(all, where, o.Known)...)
	}
	o.Loose = o.Loose || unread
	if o.Egress == nil {
		var err error
		if o.Egress, err = egress.Parse("127.0.0.0/8,::1"); err != nil {
			return nil, fmt.Errorf("definitions: %w", err)
		}
	}
	if errs = append(errs, link(all, where, o)...); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return all, nil
}

func at(file string, line int, format string, args ...any) campaign.Errors {
	return campaign.Errors{{File: file, Line: line, Column: 1, Message: fmt.Sprintf(format, args...)}}
}

// link resolves references between documents and finds the variables of messages.
func link(all []campaign.Parsed, where map[string]string, o Options) (errs []error) {
	channels := map[string]bool{ConsoleChannel: true, campaign.CallChannel: true}
	for _, c := range o.Known.Channels {
		channels[c] = true
	}
	templates := map[string][]campaign.Field{}
	for _, t := range o.Known.Templates {
		templates[t.Name] = t.Fields
	}
	for _, d := range all {
		if d.Channel != nil {
			channels[d.Channel.Name] = true
		}
		if d.Template != nil {
			templates[d.Template.Name] = d.Template.Fields
		}
	}
	r := message.NewRenderer()
	for i := range all {
		d := &all[i]
		fail := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("%s: %s %s: %s", where[d.Document.Kind+"/"+d.Document.Name], d.Document.Kind,
				d.Document.Name, fmt.Sprintf(format, args...)))
		}
		if d.Channel != nil {
			spec := dispatch.ChannelSpec{URL: d.Channel.URL, Out: io.Discard, Egress: o.Egress}
			if _, err := dispatch.NewChannel(d.Channel.Type, spec); err != nil {
				fail("%v", err)
			}
		}
		if d.Template != nil {
			if _, err := r.Variables(d.Template.Fields); err != nil {
				fail("%v", err)
			}
		}
		if d.Campaign == nil {
			continue
		}
		d.Campaign.Sends(func(step string, s *campaign.Send) {
			for _, c := range s.Channels {
				if !channels[c] && !o.Loose {
					fail(
						"step %s: channel %q is not defined; add a document of kind Channel, or use %s",
						step,
						c,
						ConsoleChannel,
					)
				}
			}
			fields := s.Message.Fields
			if name := s.Message.Template; name != "" {
				known, ok := templates[name]
				if !ok && !o.Loose {
					fail("step %s: template %q is not defined; add a document of kind Template", step, name)
				}
				fields = known
			}
			needs, err := r.Variables(fields)
			if err != nil {
				fail("step %s: %v", step, err)
			}
			if len(needs) > 0 {
				if d.Document.Needs == nil {
					d.Document.Needs = map[string][]campaign.Variable{}
				}
				d.Document.Needs[step] = needs
			}
		})
	}
	return errs
}
