package parse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/cel-go/cel"
	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/nearest"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/yamltext"
)

// Limits of one definition file and of what is in it.
const (
	// maxFileBytes bounds the size of a file in bytes, to 1 MiB.
	maxFileBytes = 1 << 20
	// maxDocuments bounds the documents of a file.
	maxDocuments = 1000
	maxSteps     = 100 // of a campaign; also the cases of a branch
	// maxDepth bounds the nesting of YAML, since reading it is recursive.
	maxDepth = 32
)

// celBool returns the type that an expression must have: bool for a predicate, nil for any.
func celBool(predicate bool) *cel.Type {
	if predicate {
		return cel.BoolType
	}
	return nil
}

// maxErrors bounds the errors that are reported of one file; the rest is counted.
const maxErrors = 200

// maxBroken bounds how many documents of a file are reported that are no YAML: after each the rest
// is read anew.
const maxBroken = 20

// File reads a definition file (YAML or JSON, several documents a file) and
// compiles what it defines. On error it returns an Errors with every error of the file, and
// all its documents: those that have errors are Incomplete.
func File(lang *expr.Language, file string, text []byte) ([]Parsed, error) {
	core := &reader{file: file, lang: lang, source: yamltext.New(nil)}
	if len(text) > maxFileBytes {
		return nil, Errors{{
			File: file, Line: 1, Column: 1,
			Message: fmt.Sprintf("file has %d bytes; at most %d are allowed", len(text), maxFileBytes),
		}}
	}
	core.source = yamltext.New(text)
	// YAML reads nearly all JSON, and its errors would speak of indentation.
	if strings.EqualFold(path.Ext(file), ".json") && !bytes.Contains(text, []byte("\n---")) {
		if p, message, bad := yamltext.JSON(text); bad {
			return nil, Errors{{File: file, Line: p.Line, Column: p.Column, Message: message}}
		}
	}
	r := &documentReader{core}
	var docs []Parsed
	// The decoder stops at what is no YAML; reading goes on after the next "---".
	for broken := 0; len(text) > 0; broken++ {
		more, err := r.documents(text, maxDocuments-len(docs))
		docs = append(docs, more...)
		if err == nil || broken == maxBroken {
			break
		}
		// It stands for what the document may define.
		docs = append(docs, Parsed{Incomplete: true, file: file, Line: 1})
		text = r.broken(text, err)
	}
	if len(core.errs) > 0 {
		all := core.errs.Sorted()
		if more := len(all) - maxErrors; more > 0 {
			last := *all[maxErrors]
			last.Message = fmt.Sprintf("%d more errors from here on; mend those before", more)
			all = append(all[:maxErrors], &last)
		}
		return docs, all
	}
	return docs, nil
}

// documents reads documents up to the end, or to one that is no YAML, for which it returns an
// error. Empty documents are skipped; most bounds the others.
func (r *documentReader) documents(text []byte, most int) (docs []Parsed, err error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var root yaml.Node
		err := decoder.Decode(&root)
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return docs, err
		}
		if len(root.Content) == 0 || root.Content[0].Tag == "!!null" {
			continue
		}
		if len(docs) == most {
			r.core.fail(&root, "more than %d documents in a file", maxDocuments)
			return docs, nil
		}
		docs = append(docs, r.document(root.Content[0]))
	}
}

// broken reports a document that is no YAML, and returns the text from the next document on,
// nothing when there is none. The lines before are left empty in it, so that places stay right.
func (r *documentReader) broken(text []byte, err error) (rest []byte) {
	place, message, ok := yamltext.Syntax(text)
	if !ok {
		place.Line, message = yamlPlace(err)
		place.Column = 1
	}
	e := &Error{File: r.core.file, Line: place.Line, Column: place.Column, Message: message}
	r.core.errs = append(r.core.errs, e)
	line := 0
	for at := 0; at < len(text); line++ {
		end := bytes.IndexByte(text[at:], '\n')
		if end < 0 {
			return nil
		}
		if at += end + 1; line+2 > place.Line && bytes.HasPrefix(text[at:], []byte("---")) {
			return append(bytes.Repeat([]byte("\n"), line+1), text[at:]...)
		}
	}
	return nil
}

// Document compiles the document of a control record for a workspace. It fails if the source is not
// exactly that document, or has errors: it was checked before it was logged.
func Document(lang *expr.Language, workspace string, d *program.Document) (program.Definition, error) {
	docs, err := File(lang, d.Kind+"/"+d.Name, []byte(d.Source))
	if err != nil {
		return program.Definition{}, err
	}
	if len(docs) != 1 || docs[0].Document.Kind != d.Kind || docs[0].Document.Name != d.Name {
		return program.Definition{}, fmt.Errorf("campaign: %s/%s: the source is not that one document", d.Kind, d.Name)
	}
	p := docs[0].Definition
	p.Document = *d
	if p.Campaign != nil {
		p.Campaign.Workspace, p.Campaign.Version = workspace, d.Version
		if err := p.Campaign.SetNeeds(d.Needs); err != nil {
			return program.Definition{}, err
		}
	}
	return p, nil
}

// yamlLine is how errors of the YAML library begin.
var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// yamlPlace splits the error text of the YAML library into the line, 1 where it names none, and the
// message.
func yamlPlace(err error) (line int, message string) {
	text := err.Error()
	m := yamlLine.FindStringSubmatch(text)
	line = 1
	if m != nil && m[1] != "" {
		if n, convErr := strconv.Atoi(m[1]); convErr == nil {
			line = n
		}
	}
	return line, "this is no YAML: " + yamlLine.ReplaceAllString(text, "")
}

// document reads one document: first what all kinds have in common, then the spec by the kind.
// Errors make it Incomplete; what could be read is returned all the same.
func (r *documentReader) document(n *yaml.Node) Parsed {
	before := len(r.core.errs)
	r.core.kind, r.core.spots, r.core.unsupported = kindOf(n), map[Spot]*yaml.Node{}, nil
	r.core.flawed = map[string]map[string]bool{}
	d := Parsed{Line: n.Line, file: r.core.file, source: r.core.source, spots: r.core.spots}
	if depth(n) > maxDepth {
		r.core.fail(n, "nested deeper than %d", maxDepth)
		d.Incomplete = true
		return d
	}
	var kind, version, name string
	var spec *yaml.Node
	labels := map[string]string{}
	// Nobody names a scenario, and it is stored nowhere.
	scenario := r.core.draw == nil && r.core.kind == program.KindScenario
	if scenario {
		name = r.scenarioName(n)
	}
	r.core.object(n, "document",
		field{name: "apiVersion", required: !scenario, read: func(n *yaml.Node) {
			if r.core.text(n, "apiVersion", &version); version != program.APIVersion {
				r.core.fail(n, "apiVersion %q is unknown; use %s", version, program.APIVersion)
			}
		}},
		field{name: "kind", required: true, read: func(n *yaml.Node) {
			if r.core.text(n, "kind", &kind); kind != "" && !slices.Contains(Kinds(), kind) {
				r.core.fail(n, "kind %q is unknown; use %s%s", kind, kindWords, nearest.Hint(kind, Kinds()))
			}
		}},
		field{name: "metadata", required: !scenario, read: func(n *yaml.Node) { r.metadata(n, &name, labels) }},
		field{name: "spec", required: true, read: func(n *yaml.Node) { spec = n }},
	)
	d.Document = program.Document{Kind: kind, Name: name}
	switch {
	case spec == nil:
		d.Document.Kind = r.core.kind // empty where it is unknown
	case !r.spec(spec, &d, labels):
		d.Document.Kind = ""
	}
	source, err := yaml.Marshal(n)
	if err != nil {
		r.core.fail(n, "cannot be written back: %v", err)
	}
	d.Document.Source, d.Unsupported, d.Incomplete = string(source), r.core.unsupported, len(r.core.errs) > before
	return d
}

// kindOf returns the kind that a document says it is of, empty if there is no such kind. It looks
// ahead: how the other fields are read depends on the kind, which may be written last.
func kindOf(n *yaml.Node) string {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "kind" && slices.Contains(Kinds(), n.Content[i+1].Value) {
			return n.Content[i+1].Value
		}
	}
	return ""
}

// scenarioName names a scenario that has no name after its place: "shop.yaml", line 40 ->
// "shop-40".
func (r *documentReader) scenarioName(n *yaml.Node) string {
	base := strings.TrimSuffix(path.Base(r.core.file), path.Ext(r.core.file))
	return fmt.Sprintf("%s-%d", base, n.Line)
}

// kindWords are for messages.
const kindWords = "Campaign, Channel, Policy, Scenario or Template"

// spec reads what a document of a kind says; false stands for a kind that is unknown. It also
// serves to draw the shape of the kind.
func (r *documentReader) spec(spec *yaml.Node, d *Parsed, labels map[string]string) bool {
	name := d.Document.Name
	switch d.Document.Kind {
	case program.KindCampaign:
		d.Campaign = &program.Program{Name: name, Labels: labels}
		newCampaignReader(r.core).campaign(spec, d.Campaign)
	case program.KindChannel:
		d.Channel = &program.Channel{Name: name}
		r.channel(spec, d.Channel)
	case program.KindTemplate:
		d.Template = &program.Template{Name: name}
		r.core.messageFields(spec, "template", &d.Template.Fields)
	case program.KindScenario:
		d.Scenario = &program.Scenario{Name: name}
		(&scenarioReader{r.core}).scenario(spec, d.Scenario)
	case program.KindPolicy:
		d.Policy = &program.Policy{Name: name}
		(&policyReader{r.core}).policy(spec, d.Policy)
	default:
		return false
	}
	return true
}

// metadata reads {name, labels}.
func (r *documentReader) metadata(n *yaml.Node, name *string, labels map[string]string) {
	r.core.object(n, "metadata",
		field{name: "name", required: true, read: func(n *yaml.Node) {
			r.core.spot(Spot{Field: "name"}, n)
			r.core.name(n, "metadata.name", name)
		}},
		field{name: "labels", read: func(n *yaml.Node) {
			if r.core.drawn(Shape{Kind: ShapeMap, Key: ShapeText, Item: &Shape{Kind: ShapeText, Least: 1}}) {
				return
			}
			if n.Kind != yaml.MappingNode {
				r.core.fail(n, "metadata.labels must be an object of texts")
				return
			}
			for i := 0; i+1 < len(n.Content); i += 2 {
				var value string
				r.core.text(n.Content[i+1], "metadata.labels."+n.Content[i].Value, &value)
				labels[n.Content[i].Value] = value
			}
		}},
	)
}

// channel reads {type, url}.
func (r *documentReader) channel(n *yaml.Node, c *program.Channel) {
	r.core.object(n, "channel",
		field{name: "type", required: true, read: func(n *yaml.Node) {
			c.Type = program.ChannelTypes()[r.core.choice(n, "channel type", program.ChannelTypes()...)]
		}},
		field{name: "url", read: func(n *yaml.Node) {
			r.core.spot(Spot{Field: "url"}, n)
			r.core.text(n, "url", &c.URL)
		}},
	)
	if c.Type == program.ChannelWebhook && c.URL == "" && !r.core.flawed["channel"]["url"] {
		r.core.fail(n, "channel: a webhook needs a url")
	}
	if c.Type == program.ChannelConsole && c.URL != "" && !r.core.flawed["channel"]["type"] {
		r.core.fail(n, "channel: a console has no url")
	}
}

// depth returns how deeply a node nests; aliases count as leaves, since they are refused anyway.
func depth(n *yaml.Node) int {
	deepest := 0
	for _, c := range n.Content {
		deepest = max(deepest, depth(c))
	}
	return deepest + 1
}
