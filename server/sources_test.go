package server

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/ingest"
)

func TestReadSources(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sources.yaml")
	read := func(text string) ([]ingest.Source, error) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return readSources(path, "the-write-key-of-all")
	}
	got, err := read("sources:\n" +
		"  - {name: partner, key: 0123456789abcdef, require_consent: marketing, rate: 50}\n" +
		"  - {name: till, key: fedcba9876543210, scope: write}\n" +
		"  - {name: crm, key: 99887766554433221100, scope: [broadcast, hook]}\n" +
		"  - {name: support, key: 00112233445566778899, scope: read}\n")
	want := []ingest.Source{
		{Name: "partner", Key: "0123456789abcdef", Workspace: "default", Consent: "marketing", RatePerKey: 50, Scope: ingest.ScopeWrite},
		{Name: "till", Key: "fedcba9876543210", Workspace: "default", Scope: ingest.ScopeWrite},
		{Name: "crm", Key: "99887766554433221100", Workspace: "default", Scope: ingest.ScopeBroadcast | ingest.ScopeHook},
		{Name: "support", Key: "00112233445566778899", Workspace: "default", Scope: ingest.ScopeRead},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("read %+v, error %v; want %+v", got, err, want)
	}
	// An object may be written once and used again.
	got, err = read("sources:\n  - &one {name: a, key: 0123456789abcdef, rate: 5}\n" +
		"  - {<<: *one, name: b, key: fedcba9876543210}\n")
	if err != nil || len(got) != 2 || got[1].RatePerKey != 5 {
		t.Errorf("with an anchor: read %+v, error %v", got, err)
	}
	for _, empty := range []string{"", "# none yet\n", "sources:\n"} {
		if got, err := read(empty); len(got) != 0 || err != nil {
			t.Errorf("%q: read %+v, error %v", empty, got, err)
		}
	}
	if got, err := readSources("", "k"); got != nil || err != nil {
		t.Errorf("without a file there are %+v, error %v", got, err)
	}
	for text, want := range map[string]string{
		"sources: [{name: a b, key: 0123456789abcdef}]":                                 `sources[0].name: "a b"`,
		"sources: [{name: a, key: 0123456789abcdef}, {name: a, key: 0123456789abcdeF}]": `sources[1].name: "a" is there twice`,
		"sources: [{name: a, key: short}]":                                              "sources[0].key: must have 16 bytes",
		"sources: [{name: a, key: the-write-key-of-all}]":                               "sources[0].key: is that of another",
		"sources: [{name: a, key: 0123456789abcdef}, {name: b, key: 0123456789abcdef}]": "sources[1].key: is that of another",
		"sources: [{name: a, key: 0123456789abcdef, require_consent: '.'}]":             "sources[0].require_consent",
		"sources: [{name: a, key: 0123456789abcdef, scope: all}]":                       `sources[0].scope: "all" must be write`,
		"sources: [{name: a, key: 0123456789abcdef, scope: [read, hook]}]":              "sources[0].scope: hook, read: a key",
		"sources: [{name: a, key: 0123456789abcdef, scope: {a: b}}]":                    "sources.yaml:1:51: sources[0].scope must be a word or a list of words",
		"sources: [{name: a, key: [b], scop: read, rate: fast}]":                        "sources.yaml:1:26: sources[0].key must be a text\n",
		"sources:\n  - {name: a, key: 0123456789abcdef}\n  - name: b\n    scop: read\n": `sources.yaml:4:5: sources[1]: unknown field "scop"; it may have name, key, require_consent, rate, scope; did you mean "scope"?`,
		"sources: [{name: a, key: [b], rate: fast}]":                                    "sources.yaml:1:37: sources[0].rate must be a number",
		"source: [{name: a}]":         `sources.yaml:1:1: the file: unknown field "source"; it may have sources; did you mean "sources"?`,
		"[{name: a}]":                 "sources.yaml:1:1: the file must have a list of sources",
		"sources: {name: a}":          "sources.yaml:1:10: sources must be a list",
		"sources: [0123456789abcdef]": "sources.yaml:1:11: sources[0] must be an object",
		"sources: [{name: a, name: b, key: 0123456789abcdef}]": "already defined",
		"sources: [{name: a":                      "sources.yaml: line 1: ",
		"sources:\n  - name: a\n    key: short\n": "sources.yaml:3:10: sources[0].key: must have 16 bytes",
		"sources: [{name: a, key: 0123456789abcdef, scope: read, require_consent: m}]":         "sources[0].require_consent: is for keys",
		"sources: [{name: a, key: 0123456789abcdef, rate: -1}]":                                "sources[0].rate: -1",
		"sources: [{name: a, key: 0123456789abcdef, colour: red}]":                             `unknown field "colour"`,
		"sources: [" + strings.Repeat("{name: a, key: 0123456789abcdef},", maxSources+1) + "]": "at most 100",
	} {
		if _, err := read(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: error %v; want %q", text, err, want)
		}
	}
	if _, err := readSources(path+"x", "k"); err == nil {
		t.Error("a file that is not there is no error")
	}
}
