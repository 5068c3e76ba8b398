package message

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// names checks that the tags of a text name only what there is: variables of the
// language, names that the text gives itself (assign, capture, for), known filters.
type names struct {
	renderer *Renderer
	local    []string
	verbatim string // the raw or comment block that is open, empty for none
}

//nudge:constant read only
var (
	tagWordPattern = regexp.MustCompile(`^\s*(\w+)\s*(.*)$`)
	bindPattern    = regexp.MustCompile(`^([A-Za-z_][\w-]*)\s*(.*)$`)
	namePattern    = regexp.MustCompile(`[A-Za-z_][\w-]*`)
)

// keywords are words of Liquid that are no variables.
//
//nudge:constant read only
var keywords = []string{
	"true", "false", "nil", "null", nowName, "and", "or", "not", "contains", "in", "reversed", "limit",
	"offset", "cols", "forloop", "tablerowloop",
}

// see checks the next tag of the text.
func (n *names) see(tag string) error {
	inner := strings.Trim(tag[2:len(tag)-2], "-")
	inner = textPattern.ReplaceAllString(strings.ReplaceAll(inner, "\n", " "), `""`)
	if strings.HasPrefix(tag, "{{") {
		if n.verbatim != "" {
			return nil
		}
		return n.expression(inner)
	}
	m := tagWordPattern.FindStringSubmatch(inner)
	if m == nil {
		return nil
	}
	word, rest := m[1], m[2]
	if n.verbatim != "" {
		if word == "end"+n.verbatim {
			n.verbatim = ""
		}
		return nil
	}
	switch word {
	case "raw", "comment":
		n.verbatim = word
		return nil
	case "include":
		return errors.New("include is not supported; write the text out")
	case "assign", "capture", "for", "tablerow":
		bound := bindPattern.FindStringSubmatch(rest)
		if bound == nil {
			return nil // the parser says what is wrong
		}
		if err := n.expression(bound[2]); err != nil {
			return err
		}
		n.local = append(n.local, bound[1])
		return nil
	default:
		return n.expression(rest)
	}
}

// expression checks a value with its filters.
func (n *names) expression(text string) error {
	for i, part := range strings.Split(text, "|") {
		if i > 0 {
			filter := bindPattern.FindStringSubmatch(strings.TrimSpace(part))
			if filter == nil {
				return nil // the parser says what is wrong
			}
			if err := n.renderer.knowsFilter(filter[1]); err != nil {
				return err
			}
			part = filter[2]
		}
		if err := n.variables(part); err != nil {
			return err
		}
	}
	return nil
}

// variables checks the first part of each name in a piece of an expression.
func (n *names) variables(text string) error {
	for _, at := range namePattern.FindAllStringIndex(text, -1) {
		name, before, after := text[at[0]:at[1]], byte(' '), byte(' ')
		if at[0] > 0 {
			before = text[at[0]-1]
		}
		if at[1] < len(text) {
			after = text[at[1]]
		}
		member := before == '.' || before >= '0' && before <= '9'
		if member || after == ':' || slices.Contains(keywords, name) || slices.Contains(n.local, name) {
			continue
		}
		if name == "blank" || name == "empty" {
			return fmt.Errorf(`%q is not supported; write == "" or == nil, or ask for the size`, name)
		}
		root := slices.ContainsFunc(roots, func(r string) bool { return strings.HasPrefix(r, name+".") })
		if !root || after != '.' {
			return fmt.Errorf("%q is no variable; there are %s", name, strings.Join(roots, ", "))
		}
	}
	return nil
}

// knowsFilter says whether there is a filter of that name.
func (r *Renderer) knowsFilter(name string) error {
	_, err := r.engine.ParseAndRenderString(`{{ "" | `+name+` }}`, nil)
	if err != nil && strings.Contains(err.Error(), "undefined filter") {
		return fmt.Errorf("%q is no filter", name)
	}
	return nil
}
