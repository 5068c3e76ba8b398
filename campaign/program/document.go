package program

import (
	"maps"
	"regexp"
	"slices"
)

// APIVersion is the only version of the language there is; each document names it.
const APIVersion = "nudge/v1"

// The kinds of documents of a definition file (Document.Kind).
const (
	KindCampaign = "Campaign"
	KindChannel  = "Channel"
	KindTemplate = "Template"
	KindPolicy   = "Policy"
)

// Document is one document of a definition file, as a control record carries it.
type Document struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	// Version is assigned when the document is applied, from 1; 0 before.
	Version uint32 `json:"version,omitempty"`
	// Source is the YAML text as written. It is what the log stores, so that a replay compiles the
	// same text.
	Source string `json:"source"`
	// Needs lists the variables of each send step's message, by step id. They are found when the
	// document is applied, since templates are documents of their own; the core captures their
	// values with the delivery.
	Needs map[string][]Variable `json:"needs,omitempty"`
}

// Equal reports whether two documents are the same in everything.
func (d *Document) Equal(o *Document) bool {
	return d.Kind == o.Kind && d.Name == o.Name && d.Version == o.Version && d.Source == o.Source &&
		maps.EqualFunc(d.Needs, o.Needs, slices.Equal[[]Variable])
}

// Definition is what one document means: exactly one of the pointers is set, by its kind.
type Definition struct {
	Document Document
	Campaign *Program
	Channel  *Channel
	Template *Template
	Scenario *Scenario
	Policy   *Policy
}

// Channel is a configured way to reach customers, such as the webhook of a mail provider.
type Channel struct {
	Name string
	Type string // one of ChannelTypes
	// URL is where a webhook posts to; empty for other types.
	URL string
}

// The types of channels: how a channel hands off a delivery.
const (
	ChannelConsole = "console" // prints
	ChannelWebhook = "webhook" // posts to a URL
)

// ChannelTypes returns the types of channels; package dispatch makes a channel of each.
func ChannelTypes() []string { return []string{ChannelConsole, ChannelWebhook} }

// Template is a message that several steps can send, in the texts of its fields.
type Template struct {
	Name   string
	Fields []Field
}

// NamePattern is what names of campaigns, channels, templates and ids of steps
// look like: they become subjects, labels and file names.
const NamePattern = `^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`

// IsName reports whether a text has the form of NamePattern.
func IsName(s string) bool { return namePattern.MatchString(s) }

// namePattern is NamePattern compiled.
var namePattern = regexp.MustCompile(NamePattern)
