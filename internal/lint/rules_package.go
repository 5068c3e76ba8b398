package lint

import (
	"fmt"
	"path"
	"strings"
)

// packageLimit is the greatest size of a package of the product, without tests and comment
// lines.
type packageLimit struct{ files, lines int }

// limitOf returns the limit of a folder; none is true where there is no limit. The
// simulation, benchmarks and suites of tests are not part of the product.
func limitOf(folder string) (limit packageLimit, none bool) {
	switch {
	case inAny(folder, []string{"sim", "bench"}) || strings.HasSuffix(path.Base(folder), "test"):
		return limit, true
	case folder == "campaign/machine":
		return packageLimit{files: 40, lines: 7_500}, false // parts that see one customer
	}
	return packageLimit{files: 40, lines: 4_000}, false
}

// packageSize finds packages that are too large to be read in an afternoon. Comment lines do
// not count: a limit that they exceed would be kept by explaining less.
func packageSize(repo *Repo) []Finding {
	sizes := map[string]packageLimit{}
	var findings []Finding
	for _, file := range repo.Go { // sorted: the finding is at the file that goes beyond
		if file.isTest() {
			continue
		}
		folder := path.Dir(file.Path)
		limit, none := limitOf(folder)
		// Files come in the order of their names, so the finding is at the one with which
		// the package becomes too large.
		before := sizes[folder]
		now := packageLimit{before.files + 1, before.lines + codeLines(file.Source)}
		sizes[folder] = now
		beyond := func(l packageLimit) bool { return l.files > limit.files || l.lines > limit.lines }
		if none || !beyond(now) || beyond(before) {
			continue
		}
		findings = append(findings, repo.at(file, file.AST.Package, fmt.Sprintf(
			"package %s has more than %d files or %d lines without tests and comments",
			folder, limit.files, limit.lines),
			"split it by concept"))
	}
	return findings
}

// codeLines counts the lines of a file that hold more than a comment; empty ones count.
func codeLines(source string) int {
	n := 0
	for line := range strings.Lines(source) {
		if !strings.HasPrefix(strings.TrimSpace(line), "//") {
			n++
		}
	}
	return n
}
