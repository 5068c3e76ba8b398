package definition

import (
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/parse"
)

// What no server can do yet is refused before it is in force, with its place.
// The parser reads it: a log may have it.
func TestCallIsRefused(t *testing.T) {
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	const text = `apiVersion: nudge/v1
kind: Campaign
metadata: {name: ask}
spec:
  trigger: {event: {name: Go}}
  steps:
    - {id: hello, send: {channel: console, inline: {body: hi}}}
    - id: ask
      call: {url: "https://example.com", wait: true}
`
	file := File{Name: "f.yaml", Text: []byte(text)}
	for _, o := range []Options{{}, {Loose: true}} {
		_, err = Parse(lang, []File{file}, o)
		if err == nil || !strings.Contains(err.Error(), "f.yaml:9:13: call is not supported yet") ||
			!strings.Contains(err.Error(), "type webhook") {
			t.Errorf("error %v", err)
		}
	}
	docs, err := parse.File(lang, file.Name, file.Text)
	if err != nil || len(docs) != 1 || len(docs[0].Unsupported) != 1 {
		t.Errorf("the parser gives %+v, error %v", docs, err)
	}
}
