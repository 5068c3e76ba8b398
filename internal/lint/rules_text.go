package lint

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

var (
	// openEnd is a promise to come back, with its issue number if it has one.
	openEnd = regexp.MustCompile(`\b(TODO|FIXME|XXX)\b(\(#\d+\))?`)
	// codeMark is a fence around a code block in Markdown.
	codeMark = regexp.MustCompile("^ {0,3}(```+|~~~+)")

	// A machine path begins a word: the middle of a URL or of $HOME/... is none.
	machinePath = regexp.MustCompile(`(?:^|[^\w.~)}*%+/-])/(?:work|farm|root)/`)
)

// openEnds finds promises to come back that have no issue number. A comment alone is
// forgotten; an issue is on a list.
func openEnds(repo *Repo) []Finding {
	var findings []Finding
	for _, file := range repo.Go {
		for _, group := range file.AST.Comments {
			for _, comment := range group.List {
				for i, line := range strings.Split(comment.Text, "\n") {
					for _, match := range openEnd.FindAllStringSubmatch(line, -1) {
						if match[2] != "" {
							continue
						}
						findings = append(findings, Finding{
							Path: file.Path, Line: repo.line(comment.Pos()) + i,
							Wrong:   match[1] + " without an issue number",
							Instead: "do it now, or write " + match[1] + "(#12) after opening the issue",
						})
					}
				}
			}
		}
	}
	return findings
}

// oneTitle finds Markdown files that do not have exactly one "# Title": the title is what
// lists of pages, and readers who come from a search, go by.
func oneTitle(repo *Repo) []Finding {
	var findings []Finding
	for _, text := range repo.Texts {
		if path.Ext(text.Path) != ".md" || inTestdata(text.Path) {
			continue
		}
		// A "# " inside a code block is a comment of a shell.
		titles := titleLines(text.Data)
		if len(titles) == 0 {
			findings = append(findings, Finding{
				Path: text.Path, Line: 1, Wrong: "no title", Instead: `begin with one "# Title" line`,
			})
			continue
		}
		for _, line := range titles[1:] {
			findings = append(findings, Finding{
				Path: text.Path, Line: line,
				Wrong:   fmt.Sprintf("second title, the first is on line %d", titles[0]),
				Instead: `use "## Section", or split the document`,
			})
		}
	}
	return findings
}

// titleLines returns the lines of titles, "# ...", outside of fenced code blocks. A fence
// is closed by the character that opened it, at least as often.
func titleLines(markdown string) []int {
	var titles []int
	fence := ""
	for i, line := range strings.Split(markdown, "\n") {
		mark := codeMark.FindStringSubmatch(line)
		switch {
		case fence == "" && mark != nil:
			fence = mark[1]
		case mark != nil && strings.HasPrefix(mark[1], fence) && strings.TrimSpace(line) == mark[1]:
			fence = ""
		case fence == "" && strings.HasPrefix(line, "# "):
			titles = append(titles, i+1)
		}
	}
	return titles
}

// machinePaths finds paths that exist only on the machine of one developer: for everyone
// else the command or the link with such a path does not work.
func machinePaths(repo *Repo) []Finding {
	var findings []Finding
	for _, text := range repo.Texts {
		for i, line := range strings.Split(text.Data, "\n") {
			if match := machinePath.FindString(line); match != "" {
				findings = append(findings, Finding{
					Path: text.Path, Line: i + 1,
					Wrong:   "absolute path of one machine: " + match[strings.IndexByte(match, '/'):],
					Instead: "write it relative to the repository, or take it from a flag",
				})
			}
		}
	}
	return findings
}
