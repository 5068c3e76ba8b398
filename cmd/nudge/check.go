package main

import (
	"errors"
	"fmt"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/internal/definition"
	"github.com/nudge-engine/nudge/presets"
	"github.com/nudge-engine/nudge/sink/dispatch/egress"
)

// checkCommand is `nudge check`: definitions against themselves, without a server.
type checkCommand struct {
	Paths []string `arg:"" optional:"" name:"path" help:"Files, or directories with .yaml, .yml and .json files; without: campaigns."`
	// EgressAllow is the server's setting; with it a channel that the server would refuse is
	// an error here too.
	EgressAllow string `env:"NUDGE_EGRESS_ALLOW" help:"What the server's channels may reach, as its setting says." placeholder:"LIST"`
}

func (c *checkCommand) Help() string {
	return `Reports all errors at once, in the order of the files, and then what is allowed and probably not meant: two
campaigns that do the same, a send after the goal's window, a stop that can never
happen, a condition asked twice, a cap smaller than a chain, a category that
is probably misspelt, a variable that nothing is known to set. Warnings do not fail the check.`
}

// Run prints each document that is right, then the warnings. Errors end it; warnings do not,
// since each of them can be meant.
func (c *checkCommand) Run(out console) error {
	lang, err := expr.NewLanguage()
	if err != nil {
		return err
	}
	allowed, err := egress.Parse(c.EgressAllow)
	if err != nil {
		return fmt.Errorf("%s: %w", egress.Setting, err)
	}
	// Without the variable the setting of the server is not known: a channel that only it
	// allows is worth a warning and no error.
	o := definition.Options{}
	if c.EgressAllow != "" {
		o.Egress = allowed
	}
	paths, err := pathsOr(c.Paths)
	if err != nil {
		return err
	}
	docs, err := load(lang, paths, o)
	if err != nil {
		fmt.Fprintln(out.err, err)
		return errors.New("the definitions have errors")
	}
	// Warnings about channels come with their document, those about campaigns at the end,
	// since they compare campaigns.
	for _, d := range docs {
		fmt.Fprintf(out.out, "%s %s: ok\n", d.Document.Kind, d.Document.Name)
		if d.Channel != nil && d.Channel.URL != "" {
			// The server may allow the address by its setting, which this tool need not know:
			// hence a warning.
			if err := allowed.CheckURL(d.Channel.URL); err != nil {
				fmt.Fprintf(out.out, "Channel %s: warning: %v\n", d.Channel.Name, err)
			}
		}
	}
	// The catalogue makes the advice about variables better; it is part of the program.
	samples, err := samples()
	if err != nil {
		return err
	}
	for _, a := range definition.Advise(docs, samples...) {
		fmt.Fprintf(out.out, "Campaign %s: warning: %s\n", a.Campaign, a.Message)
	}
	return nil
}

// samples returns the properties of the events in the catalogue, by which advice recognises a
// variable that nothing sets.
func samples() ([]definition.Sample, error) {
	events, err := presets.Events()
	if err != nil {
		return nil, err
	}
	all := make([]definition.Sample, 0, len(events))
	for i := range events {
		s := definition.Sample{Event: events[i].Name}
		for name := range events[i].Properties { //nudge:unordered only looked up
			s.Properties = append(s.Properties, name)
		}
		all = append(all, s)
	}
	return all, nil
}

// load reads and checks the definitions at several paths together, so that they may refer to
// each other. The error lists all that is wrong.
func load(lang *expr.Language, paths []string, o definition.Options) ([]parse.Parsed, error) {
	var files []definition.File
	for _, path := range paths {
		more, err := definition.Read(path)
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	}
	return definition.Parse(lang, files, o)
}
