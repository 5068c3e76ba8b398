package presets

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Event is an entry of the catalogue: an event's usual name, what its properties are,
// and a sample that can be sent as it is.
type Event struct {
	Name         string         `yaml:"event" json:"event"`
	Group        string         `yaml:"-" json:"group"` // the file it stands in
	About        string         `yaml:"about" json:"about"`
	Capabilities []int          `yaml:"capabilities" json:"capabilities"` // numbers of docs/coverage.md
	Required     []string       `yaml:"required" json:"required"`
	Properties   map[string]any `yaml:"properties" json:"properties"` // name -> JSON Schema
	Sample       map[string]any `yaml:"sample" json:"sample"`
	Where        string         `yaml:"where" json:"where"` // a filter that holds for the sample
}

// Events is the catalogue, by group and then as written.
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

// Schema is the JSON Schema of the event's properties. More properties than it names
// are welcome.
func (e *Event) Schema() ([]byte, error) {
	return indented(map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": e.Name, "type": "object",
		"required": e.Required, "properties": e.Properties,
	})
}

// Call is the sample as the body of POST /v1/track.
func (e *Event) Call(customer string) ([]byte, error) {
	text, err := json.Marshal(map[string]any{"userId": customer, "event": e.Name, "properties": e.Sample})
	if err != nil {
		return nil, fmt.Errorf("presets: %w", err)
	}
	return text, nil
}

// Campaign is the smallest campaign that the sample starts.
func (e *Event) Campaign() []byte {
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

func indented(v any) ([]byte, error) {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("presets: %w", err)
	}
	return text, nil
}
