// Command coverage writes docs/coverage.md: the capabilities of capabilities.txt, each
// with the tests whose marker says that they show it. Its test fails if the page is out
// of date, if a marker names a number that does not exist, and if a capability has no
// test and is not listed as missing.
//
// A marker is a line of a comment: `// shows: 16, 17` above or in a Go test,
// `// shows: 21 in bonus-expiry` for one case of it, `# shows: 3, 5-7` in a script or a
// definition file.
package main

import (
	_ "embed"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// capabilities is the text of capabilities.txt.
//
//go:embed capabilities.txt
var capabilities string //nudge:constant embedded

func main() {
	root := flag.String("root", ".", "the repository")
	flag.Parse()
	if err := write(*root); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// write writes docs/coverage.md of the repository at root.
func write(root string) error {
	text, err := page(root)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "docs", "coverage.md"), []byte(text), 0o600)
}

// page returns the text of docs/coverage.md. It fails where markers and list contradict
// each other.
func page(root string) (string, error) {
	sections, err := readCapabilities(capabilities)
	if err != nil {
		return "", err
	}
	shown, err := collect(root)
	if err != nil {
		return "", err
	}
	if err := judge(sections, shown); err != nil {
		return "", err
	}
	return render(sections, shown), nil
}

// render writes the page: the counts over the required sections, and a table for each
// section.
func render(sections []section, shown map[int][]string) string {
	// counts has the capabilities of required sections by state.
	var counts [3]int
	var body strings.Builder
	for _, s := range sections {
		fmt.Fprintf(&body, "\n## %s\n\n| | capability | shown by |\n|---|---|---|\n", s.title)
		for _, c := range s.capabilities {
			if s.required {
				counts[c.state]++
			}
			by := strings.Join(shown[c.number], "; ")
			switch c.state {
			case partly:
				by += "; **partly**: " + c.lacks
			case notYet:
				by = "**not yet**: " + c.lacks
			case whole:
			}
			fmt.Fprintf(&body, "| %d | %s | %s |\n", c.number, c.text, by)
		}
	}
	return fmt.Sprintf(`# Coverage

Which of the numbered capabilities (the project's list of what users need) are shown by
a test. Written by `+"`make coverage`"+` from the markers of the tests and the list in
`+"`internal/coverage`"+`; a test compares the page with them.

Of the %d capabilities of sections 1.1 to 1.8, 1.10, 1.12 and 1.14, **%d are shown, %d
partly, %d not yet**. Of the other sections, only capabilities with a test are listed.
`, counts[whole]+counts[partly]+counts[notYet], counts[whole], counts[partly], counts[notYet]) + body.String()
}
