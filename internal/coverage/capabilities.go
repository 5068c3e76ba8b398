package main

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// section is a section of the list of capabilities.
type section struct {
	title string
	// required sections have a test for each of their capabilities, or say what a
	// capability waits for.
	required     bool
	capabilities []capability
}

// state is how much of a capability exists.
type state int

const (
	whole  state = iota
	partly       // some of it; lacks says what is missing
	notYet       // lacks says what it waits for
)

// capability is one thing that users need, from the numbered list of the project.
type capability struct {
	number int
	state  state
	lacks  string // empty for whole
	text   string
}

// capabilityLine is "12 text", "12 partly (what): text" or "12 not yet (what): text".
var capabilityLine = regexp.MustCompile(`^(\d+) (?:(partly|not yet) \(([^)]+)\): )?(\S.*)$`)

// readCapabilities reads capabilities.txt. A line "## title" begins a section; with " *" at
// its end the section is required. Lines that begin with # and empty lines are skipped;
// every other line is a capability, in the form of capabilityLine. Numbers ascend through
// the whole file.
func readCapabilities(text string) ([]section, error) {
	var all []section
	last := 0
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\n")
		title, isTitle := strings.CutPrefix(line, "## ")
		if isTitle {
			title, required := strings.CutSuffix(title, " *")
			all = append(all, section{title: title, required: required})
			continue
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		m := capabilityLine.FindStringSubmatch(line)
		if m == nil || len(all) == 0 {
			return nil, fmt.Errorf("capabilities.txt:%d: not understood: %s", number, line)
		}
		n, err := strconv.Atoi(m[1])
		// The order makes a number that occurs twice an error.
		if err != nil || n <= last {
			return nil, fmt.Errorf("capabilities.txt:%d: number %s does not follow %d", number, m[1], last)
		}
		last = n
		s := map[string]state{"": whole, "partly": partly, "not yet": notYet}[m[2]]
		into := &all[len(all)-1].capabilities
		*into = append(*into, capability{number: n, state: s, lacks: m[3], text: m[4]})
	}
	return all, nil
}

// judge compares the list with what tests show, so that neither can grow without the other.
// It returns an error for each number that a marker names and the list does not have, for
// each capability that no test shows and that is not said to be missing, and for each that
// is said to be missing although a test shows it. shown maps a number to its tests.
func judge(sections []section, shown map[int][]string) error {
	var errs []error
	known := map[int]bool{}
	for _, s := range sections {
		for _, c := range s.capabilities {
			known[c.number] = true
			tests := shown[c.number]
			switch {
			case c.state == notYet && len(tests) > 0:
				errs = append(errs, fmt.Errorf("capability %d is said to be not there yet, and shown by %s: take "+
					"\"not yet\" out of capabilities.txt", c.number, tests[0]))
			case c.state != notYet && len(tests) == 0:
				errs = append(errs, fmt.Errorf("capability %d is shown by no test: write one with a marker, or say "+
					"\"not yet (what it waits for):\" in capabilities.txt", c.number))
			}
		}
	}
	for _, n := range sortedKeys(shown) {
		if !known[n] {
			errs = append(errs, fmt.Errorf("%s shows capability %d, which capabilities.txt does not have",
				shown[n][0], n))
		}
	}
	return errors.Join(errs...)
}
