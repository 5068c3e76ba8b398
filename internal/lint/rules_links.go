package lint

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// Patterns of links and headings in Markdown.
var (
	// mdLink matches the target of a link, [text](target).
	mdLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	// mdHeading matches a heading, with its text as the group.
	mdHeading = regexp.MustCompile(`^#{1,6} +(.*)$`)
	// pageName matches the name of a page of docs/ in any text.
	pageName = regexp.MustCompile(`\bdocs/[a-z0-9/_-]+\.md\b`)
	// notInSlug matches what GitHub leaves out of the name of a heading.
	notInSlug = regexp.MustCompile(`[^\pL\pN _-]`)
)

// links finds links inside the repository, and names of pages of docs/ in texts and
// comments, that lead to no file or to no heading of it.
func links(repo *Repo) []Finding {
	// A folder exists if a file in it does.
	pages, exists := map[string]string{}, map[string]bool{}
	for _, file := range repo.Files {
		for name := file.Path; name != "."; name = path.Dir(name) {
			exists[name] = true
		}
	}
	for _, text := range repo.Texts {
		pages[text.Path] = text.Data
	}
	var findings []Finding
	for _, text := range repo.Texts {
		if inTestdata(text.Path) {
			continue
		}
		broken := func(line int, what string) {
			findings = append(findings, Finding{
				Path: text.Path, Line: line,
				Wrong: "nothing is at " + what, Instead: "name the page and the heading that are there",
			})
		}
		inText := prose(text)
		for i, line := range strings.Split(text.Data, "\n") {
			// A page may be named in any text, also in a comment or a string; links are
			// looked for in Markdown only.
			for _, name := range pageName.FindAllString(mdLink.ReplaceAllString(line, ""), -1) {
				if !exists[name] {
					broken(i+1, name)
				}
			}
			if !inText[i] {
				continue
			}
			for _, match := range mdLink.FindAllStringSubmatch(line, -1) {
				target, heading, _ := strings.Cut(match[1], "#")
				if strings.Contains(target, ":") { // another site
					continue
				}
				at := text.Path
				// A link without a file, (#heading), leads to the page that it is on.
				if target != "" {
					at = path.Join(path.Dir(text.Path), target)
				}
				if !exists[at] || heading != "" && !slices.Contains(headings(pages[at]), heading) {
					broken(i+1, match[1])
				}
			}
		}
	}
	return findings
}

// prose returns the lines of a Markdown file, from 0, that are outside of fenced code
// blocks; none for other files.
func prose(text Text) map[int]bool {
	lines := map[int]bool{}
	if path.Ext(text.Path) != ".md" {
		return lines
	}
	fenced := false
	for i, line := range strings.Split(text.Data, "\n") {
		if codeMark.MatchString(line) {
			fenced = !fenced
			continue
		}
		lines[i] = !fenced
	}
	return lines
}

// headings returns the names by which links reach the headings of a page, as GitHub derives them:
// in lower case, without punctuation, with dashes for spaces. "## What is sent, and why" ->
// what-is-sent-and-why.
func headings(page string) []string {
	var names []string
	for line := range strings.Lines(page) {
		if match := mdHeading.FindStringSubmatch(strings.TrimSpace(line)); match != nil {
			name := notInSlug.ReplaceAllString(strings.ToLower(match[1]), "")
			names = append(names, strings.ReplaceAll(name, " ", "-"))
		}
	}
	return names
}
