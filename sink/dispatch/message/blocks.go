package message

import (
	"regexp"
	"slices"
	"strings"
)

// blocks are the block tags that are open at a place of a template, the innermost last:
// for each the variables of which its condition says that they are there.
type blocks [][]string

var (
	blockPattern = regexp.MustCompile(`^\{%-?\s*(\w+)`)
	// uncertainPattern is in a condition that can hold although a variable is missing.
	uncertainPattern = regexp.MustCompile(`\bor\b|\bnot\b|!=|<>|\b(?:nil|null|blank|empty|false)\b`)
)

// see goes on behind a tag.
func (b *blocks) see(tag string) {
	m := blockPattern.FindStringSubmatch(tag)
	if m == nil {
		return
	}
	switch word := m[1]; {
	case word == "if":
		*b = append(*b, certain(tag))
	case word == "unless" || word == "for" || word == "case" || word == "tablerow" || word == "capture" ||
		word == "comment" || word == "raw":
		*b = append(*b, nil)
	case len(*b) == 0:
	case word == "elsif":
		(*b)[len(*b)-1] = certain(tag)
	case word == "else" || word == "when":
		(*b)[len(*b)-1] = nil
	case strings.HasPrefix(word, "end"):
		*b = (*b)[:len(*b)-1]
	}
}

// have says whether a variable is known to be there.
func (b *blocks) have(path string) bool {
	return slices.ContainsFunc(*b, func(known []string) bool { return slices.Contains(known, path) })
}

// certain are the variables without which a condition cannot hold.
func certain(tag string) []string {
	condition := textPattern.ReplaceAllString(tag, `""`)
	if uncertainPattern.MatchString(condition) {
		return nil
	}
	return pathPattern.FindAllString(condition, -1)
}
