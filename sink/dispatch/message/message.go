// Package message turns the texts of a message and the values captured for it
// into what a channel sends. Templates are Liquid.
//
// Which variables a template names is found once, when a campaign is applied
// (Variables); the engine captures their values when the step is decided; Render
// puts them in. So the core needs no Liquid, and a message shows the customer as
// they were at that moment.
package message

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/osteele/liquid"

	"github.com/nudge-engine/nudge/campaign"
)

// maxOutput bounds a rendered text, in bytes (design R15).
const maxOutput = 256 << 10

// Renderer parses and renders templates. It is safe for concurrent use.
type Renderer struct {
	engine *liquid.Engine
	parsed parsed
}

// NewRenderer is a renderer with Liquid's filters.
func NewRenderer() *Renderer {
	r := &Renderer{engine: liquid.NewEngine()}
	filters(r.engine)
	return r
}

var (
	// datePattern is the usual way of a template to say the present day.
	datePattern   = regexp.MustCompile(`(?:"now"|'now'|"today"|'today')(\s*\|\s*date\b)`)
	assignPattern = regexp.MustCompile(`^\{%-?\s*assign\b`)
	tagPattern    = regexp.MustCompile(`(?s)\{\{.*?\}\}|\{%.*?%\}`)
	textPattern   = regexp.MustCompile(`"[^"]*"|'[^']*'`)
	pathPattern   = regexp.MustCompile(`\b(?:customer|trigger|chain|campaign)(?:\.[A-Za-z_][A-Za-z0-9_-]*)+`)
)

// nowName is the variable that is the instant of the decision; "now" | date means it too.
const nowName = "now"

// roots are the variables a template may use, by their first two parts.
//
//nudge:constant read only
var roots = []string{
	"customer.id", "customer.traits", "customer.timezone", "customer.tags", "customer.created_at", "trigger.id",
	"trigger.name", "trigger.time", "trigger.properties", "trigger.context", "chain.key", "chain.entered_at",
	"chain.variants", "campaign.name",
}

// Variables checks the texts of a message and lists the variables that they name,
// sorted. A variable is optional where it is only tested, has a default, or stands where
// an if has asked for it.
func (r *Renderer) Variables(fields []campaign.Field) ([]campaign.Variable, error) {
	required := map[string]bool{}
	for _, f := range fields {
		if _, err := r.engine.ParseString(f.Source); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		if rest := tagPattern.ReplaceAllString(
			f.Source,
			"",
		); strings.Contains(rest, "{{") ||
			strings.Contains(rest, "{%") {
			return nil, fmt.Errorf("%s: a tag is not closed", f.Name)
		}
		var asked blocks
		named := names{renderer: r}
		for _, tag := range tagPattern.FindAllString(f.Source, -1) {
			asked.see(tag)
			if err := named.see(tag); err != nil {
				return nil, fmt.Errorf("%s: %w", f.Name, err)
			}
			tested := strings.HasPrefix(tag, "{%") && !assignPattern.MatchString(tag)
			optional := tested || strings.Contains(tag, "| default") || strings.Contains(tag, "|default")
			for _, path := range pathPattern.FindAllString(textPattern.ReplaceAllString(tag, `""`), -1) {
				if !known(path) {
					return nil, fmt.Errorf(
						"%s: %q is no variable; there are %s",
						f.Name,
						path,
						strings.Join(roots, ", "),
					)
				}
				required[path] = required[path] || !optional && !asked.have(path)
			}
		}
	}
	variables := make([]campaign.Variable, 0, len(required))
	for path, must := range required {
		variables = append(variables, campaign.Variable{Path: path, Optional: !must})
	}
	slices.SortFunc(variables, func(a, b campaign.Variable) int { return strings.Compare(a.Path, b.Path) })
	return variables, nil
}

func known(path string) bool {
	for _, root := range roots {
		rest, ok := strings.CutPrefix(path, root)
		inner := strings.HasSuffix(root, "traits") || strings.HasSuffix(root, "properties") ||
			strings.HasSuffix(root, "context") || strings.HasSuffix(root, "variants")
		if ok && (rest == "" && !inner || inner && strings.HasPrefix(rest, ".")) {
			return true
		}
	}
	return false
}

// Render renders the texts with captured values: a JSON object from variable path
// to value, as the engine stores it. The fields keep their order. at is the instant of the
// decision, in ms, which a template calls now.
func (r *Renderer) Render(fields []campaign.Field, values []byte, at int64) ([]campaign.Field, error) {
	bindings, err := unfold(values)
	if err != nil {
		return nil, err
	}
	bindings[nowName] = campaign.FormatTime(at)
	rendered := make([]campaign.Field, 0, len(fields))
	for _, f := range fields {
		text, err := r.render(f.Source, bindings)
		if err != nil {
			return nil, fmt.Errorf("message: %s: %w", f.Name, err)
		}
		rendered = append(rendered, campaign.Field{Name: f.Name, Source: text})
	}
	return rendered, nil
}

// render renders one text. The library panics when its writer fails, and may on
// templates it does not expect.
func (r *Renderer) render(source string, bindings map[string]any) (text string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	t, parseErr := r.parsed.of(r.engine, datePattern.ReplaceAllString(source, nowName+"$1"))
	if parseErr != nil {
		return "", parseErr
	}
	out := &limited{}
	if err := t.FRender(out, bindings); err != nil {
		return "", err
	}
	return out.String(), nil
}

// limited is a buffer that refuses to grow beyond maxOutput.
type limited struct{ bytes.Buffer }

var _ io.Writer = (*limited)(nil)

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxOutput {
		return 0, fmt.Errorf("the text is over %d bytes", maxOutput)
	}
	return l.Buffer.Write(p)
}
