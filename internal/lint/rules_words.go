package lint

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// glossary is the page whose table says which words were retired.
const glossary = "docs/glossary.md"

// retired is a word or phrase that is no longer used, and the one that replaced it.
type retired struct {
	word, now string
	pattern   *regexp.Regexp
}

// retiredWords finds phrases that the glossary retired, in code, comments and pages, so
// that a word that was replaced does not come back. The glossary itself, the changelog and
// recorded data may have them. The names in backticks in its table are not searched for.
func retiredWords(repo *Repo) []Finding {
	var words []retired
	for _, text := range repo.Texts {
		if text.Path == glossary {
			words = retiredTable(text.Data)
		}
	}
	var findings []Finding
	for _, text := range repo.Texts {
		ext := path.Ext(text.Path)
		if text.Path == glossary || text.Path == "CHANGELOG.md" || inTestdata(text.Path) ||
			ext != ".md" && ext != ".go" {
			continue
		}
		for i, line := range strings.Split(text.Data, "\n") {
			for _, w := range words {
				if w.pattern.MatchString(line) {
					findings = append(findings, Finding{
						Path: text.Path, Line: i + 1,
						Wrong: fmt.Sprintf("the retired words %q", w.word), Instead: "write: " + w.now,
					})
				}
			}
		}
	}
	return findings
}

// retiredTable reads the quoted rows of the table that begins with | retired | now |.
func retiredTable(page string) []retired {
	var words []retired
	_, table, _ := strings.Cut(page, "\n| retired | now |\n")
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			break
		}
		word := strings.TrimSpace(cells[1])
		if !strings.HasPrefix(word, `"`) {
			continue
		}
		word = strings.Trim(word, `"`)
		words = append(words, retired{
			word: word, now: strings.TrimSpace(cells[2]),
			// Whole words in any case, with the s of a plural.
			pattern: regexp.MustCompile(`(?i)\b` + regexp.QuoteMeta(word) + `s?\b`),
		})
	}
	return words
}
