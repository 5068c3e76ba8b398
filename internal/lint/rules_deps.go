package lint

import (
	"regexp"
	"slices"
	"strings"
)

// dependenciesDoc is the page that explains each direct dependency.
const dependenciesDoc = "docs/dependencies.md"

// dependenciesNamed finds modules that go.mod requires directly and docs/dependencies.md does not
// mention. Each dependency has a cost, and the page is where it is justified. Indirect ones follow
// from the direct ones and are not named.
func dependenciesNamed(repo *Repo) []Finding {
	mod := slices.IndexFunc(repo.Texts, func(t Text) bool { return t.Path == "go.mod" })
	doc := slices.IndexFunc(repo.Texts, func(t Text) bool { return t.Path == dependenciesDoc })
	switch {
	case mod < 0:
		return []Finding{{Path: "go.mod", Line: 1, Wrong: "no go.mod at the root", Instead: "run from the repository"}}
	case doc < 0:
		return []Finding{{
			Path: dependenciesDoc, Line: 1, Wrong: "file is missing",
			Instead: "name each direct dependency and say why it is there",
		}}
	}
	var findings []Finding
	for i, line := range strings.Split(repo.Texts[mod].Data, "\n") {
		if module := directModule(line); module != "" && !namesModule(repo.Texts[doc].Data, module) {
			findings = append(findings, Finding{
				Path: "go.mod", Line: i + 1,
				Wrong:   "direct dependency " + module + " is not named in " + dependenciesDoc,
				Instead: "say there what it is for, or drop it",
			})
		}
	}
	return findings
}

// directModule returns the module path of a direct requirement, in a block or on its own
// line; empty for other lines of go.mod, which have no version in second place.
func directModule(line string) string {
	requirement, comment, _ := strings.Cut(line, "//")
	fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(requirement), "require "))
	if len(fields) != 2 || !strings.HasPrefix(fields[1], "v") || !strings.Contains(fields[0], ".") {
		return "" // "go 1.26", "retract v1"
	}
	if strings.HasPrefix(strings.TrimSpace(comment), "indirect") {
		return ""
	}
	return fields[0]
}

// namesModule reports whether a page mentions a module by its whole path: a mention of
// nats.go/jwt is none of nats.go.
func namesModule(doc, module string) bool {
	whole := regexp.MustCompile(`(?:^|[^\w./-])` + regexp.QuoteMeta(module) + `(?:$|[^\w./-]|\.(?:\W|$))`)
	return whole.MatchString(doc)
}
