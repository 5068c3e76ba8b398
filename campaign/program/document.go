package program

import (
	"maps"
	"regexp"
	"slices"
)

// APIVersion is the only version of the language there is.
const APIVersion = "nudge/v1"

// The kinds of documents.
const (
	KindCampaign = "Campaign"
	KindChannel  = "Channel"
	KindTemplate = "Template"
	KindPolicy   = "Policy"
)

// Document is one document of a definition file, as a control record carries it.
type Document struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Version uint32 `json:"version,omitempty"` // assigned when it is applied; 0 before
	Source  string `json:"source"`            // the YAML text
	// Needs lists the variables of each send step's message, found when the
	// document is applied; the core captures their values (design R2).
	Needs map[string][]Variable `json:"needs,omitempty"`
}

// Equal says whether two documents say the same.
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

// Channel is a configured way to a customer.
type Channel struct {
	Name string
	Type string // one of ChannelTypes
	URL  string // of a webhook
}

// The types of channels.
const (
	ChannelConsole = "console" // prints
	ChannelWebhook = "webhook" // posts to a URL
)

// ChannelTypes are the types of channels; package dispatch makes a channel of each.
func ChannelTypes() []string { return []string{ChannelConsole, ChannelWebhook} }

// Template is a message that several steps can send.
type Template struct {
	Name   string
	Fields []Field
}

// NamePattern is what names of campaigns, channels, templates and ids of steps
// look like: they become subjects, labels and file names.
const NamePattern = `^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`

// IsName says whether a text has the form of NamePattern.
func IsName(s string) bool { return namePattern.MatchString(s) }

var namePattern = regexp.MustCompile(NamePattern)
