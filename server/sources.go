package server

import (
	"errors"
	"fmt"
	"os"
	"regexp"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/ingest"
	"github.com/nudge-engine/nudge/internal/identity"
)

// maxSources is how many sources the file may have. It is far above what a workspace needs,
// and keeps a generated file from growing without notice.
const maxSources = 100

// source is an entry of the file of sources: somebody who sends events with a key of their
// own.
type source struct {
	// Name is the source's name in stored events; it has the form of campaign names.
	Name string `yaml:"name"`
	// Key has identity.MinKey bytes or more and is nobody else's.
	Key string `yaml:"key"`
	// Consent is a category; each call must carry the customer's consent to it. Empty: none.
	Consent string `yaml:"require_consent"`
	// Rate is in events a second; 0: that of rate_per_key.
	Rate float64 `yaml:"rate"`
	// Scope is what the key may do; empty: send events of customers.
	Scope words `yaml:"scope"`
}

// words is a YAML value that is either one word or a list of words.
type words []string

// UnmarshalYAML implements yaml.Unmarshaler.
func (w *words) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*w = words{n.Value}
		return nil
	}
	return n.Decode((*[]string)(w))
}

// readSources reads the file that the setting sources_file names; with an empty path there are
// no sources. writeKey is the workspace's own key, which no source may have. The error joins
// all that is wrong, each with the place in the file: line, column and sources[2].key, for example.
func readSources(path, writeKey string) ([]ingest.Source, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("sources_file: %w", err)
	}
	file := &sourcesFile{path: path}
	listed := file.read(text)
	if len(file.errs) > 0 {
		return nil, errors.Join(file.errs...)
	}
	wrong := func(i int, field, format string, args ...any) {
		file.wrong(file.at(i, field), "sources[%d].%s: %s", i, field, fmt.Sprintf(format, args...))
	}
	if n := len(listed); n > maxSources {
		return nil, fmt.Errorf("sources_file %s: %d sources; at most %d are allowed", path, n, maxSources)
	}
	name := regexp.MustCompile(program.NamePattern)
	// The workspace's own key counts as taken.
	names, keys := map[string]bool{}, map[string]bool{writeKey: true}
	sources := make([]ingest.Source, 0, len(listed))
	// Every entry is checked to its end, so that one start shows all that is wrong.
	for i, s := range listed {
		if !name.MatchString(s.Name) {
			wrong(i, "name", "%q must be letters, digits, - and _, at most 64", s.Name)
		}
		if names[s.Name] {
			wrong(i, "name", "%q is there twice", s.Name)
		}
		if len(s.Key) < identity.MinKey {
			wrong(i, "key", "must have %d bytes or more", identity.MinKey)
		}
		if keys[s.Key] {
			wrong(i, "key", "is that of another source, or the write key")
		}
		if s.Consent != "" && !name.MatchString(s.Consent) {
			wrong(i, "require_consent", "%q must be letters, digits, - and _, at most 64", s.Consent)
		}
		if s.Rate < 0 {
			wrong(i, "rate", "%g must not be negative", s.Rate)
		}
		scope, err := ingest.ParseScope(s.Scope)
		if err != nil {
			wrong(i, "scope", "%v", err)
		}
		// A key that only reads sends nothing for which consent could be asked.
		if scope == ingest.ScopeRead && s.Consent != "" {
			wrong(i, "require_consent", "is for keys that send events; this one's scope is read")
		}
		names[s.Name], keys[s.Key] = true, true
		sources = append(sources, ingest.Source{
			Name: s.Name, Key: s.Key, Workspace: workspaceName, Consent: s.Consent, RatePerKey: s.Rate,
			Scope: scope,
		})
	}
	return sources, errors.Join(file.errs...)
}
