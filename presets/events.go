package presets

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Event is an entry of the catalogue: an event's usual name, what its properties are, and a
// sample that can be sent as it is. Tests send each sample to the campaign of its event.
type Event struct {
	Name string `yaml:"event" json:"event"`
	// Group is the file that it stands in, by subject: commerce, for example.
	Group string `yaml:"-" json:"group"`
	About string `yaml:"about" json:"about"`
	// Capabilities are the numbers in docs/coverage.md of what the event is used for.
	Capabilities []int `yaml:"capabilities" json:"capabilities"`
	// Required are the properties that every such event has.
	Required   []string       `yaml:"required" json:"required"`
	Properties map[string]any `yaml:"properties" json:"properties"`
	Sample     map[string]any `yaml:"sample" json:"sample"`
	// Where is a filter that holds for the sample.
	Where string `yaml:"where" json:"where"`
}

// Events returns the catalogue, by group and then as written. An error means that the embedded
// files are broken.
func Events() ([]Event, error) {
	names, err := fs.Glob(files, "events/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("presets: %w", err)
	}
	var all []Event
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("presets: %w", err)
		}
		var group []Event
		if err := yaml.Unmarshal(text, &group); err != nil {
			return nil, fmt.Errorf("presets: %s: %w", name, err)
		}
		for i := range group {
			group[i].Group = strings.TrimSuffix(path.Base(name), ".yaml")
		}
		all = append(all, group...)
	}
	return all, nil
}

// Schema returns the JSON Schema of the event's properties. It allows more properties than it
// names, as the engine does.
func (e *Event) Schema() ([]byte, error) {
	return indented(map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": e.Name, "type": "object",
		"required": e.Required, "properties": e.Properties,
	})
}

// Call returns the sample as the body of POST /v1/track, as an event of a customer.
func (e *Event) Call(customer string) ([]byte, error) {
	text, err := json.Marshal(map[string]any{"userId": customer, "event": e.Name, "properties": e.Sample})
	if err != nil {
		return nil, fmt.Errorf("presets: %w", err)
	}
	return text, nil
}

// Campaign returns the smallest campaign that the sample starts, as YAML: it prints a line for
// each event.
func (e *Event) Campaign() []byte {
	// Names of campaigns have no spaces.
	name := strings.ToLower(strings.ReplaceAll(e.Name, " ", "-"))
	return fmt.Appendf(nil, `apiVersion: nudge/v1
kind: Campaign
metadata: {name: on-%s}
spec:
  trigger: {event: {name: %s, where: '%s'}}
  steps:
    - {id: tell, send: {channel: console, inline: {body: "%s: {{ customer.id }}"}}}
`, name, e.Name, strings.ReplaceAll(e.Where, "'", "''"), e.Name)
}

// indented returns v as JSON for people.
func indented(v any) ([]byte, error) {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("presets: %w", err)
	}
	return text, nil
}
