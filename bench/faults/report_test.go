package faults_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

const (
	reportFile = "report.md"
	reportHead = `# Faults, the last report

Written by ` + "`make faults`" + `; a row is replaced when its test runs again. See
docs/reliability.md for what is promised. The last column says what the check said
when the thing that it checks was broken on purpose, or was still wrong.

| fault | injected | what was seen | held | day | seen to fail |
|---|---|---|---|---|---|
`
)

// line is one line of the report.
type line struct {
	t                     *testing.T
	fault, injected, seen string
	broken                string // how the check was seen to fail when what it checks was broken
	unpromised            bool   // the line tells and fails nothing
}

// begin skips a test that was not asked for, and writes its line at its end.
func begin(t *testing.T, fault, broken string) *line {
	t.Helper()
	if !asked() {
		t.Skip("`make faults` runs this: it starts, kills and damages real servers for minutes")
	}
	l := &line{t: t, fault: fault, broken: broken, seen: "failed before its end; the log of the run says why"}
	t.Cleanup(l.write)
	return l
}

func (l *line) set(injected, seen string) {
	l.injected, l.seen = injected, seen
	l.t.Logf("%s: %s: %s", l.fault, injected, seen)
}

func (l *line) write() {
	held := "yes"
	switch {
	case l.t.Skipped():
		held = "not run"
	case l.t.Failed():
		held = "**no**"
	case l.unpromised:
		held = "not promised"
	}
	mine := fmt.Sprintf("| %s | %s | %s | %s | %s | %s |\n", l.fault, l.injected, l.seen, held,
		time.Now().UTC().Format(time.DateOnly), l.broken)
	text, err := os.ReadFile(reportFile)
	if err != nil {
		text = []byte(reportHead)
	}
	var all strings.Builder
	replaced := false
	for old := range strings.Lines(string(text)) {
		if strings.HasPrefix(old, "| "+l.fault+" |") {
			old, replaced = mine, true
		}
		all.WriteString(old)
	}
	if !replaced {
		all.WriteString(mine)
	}
	if err := os.WriteFile(reportFile, []byte(all.String()), 0o600); err != nil {
		l.t.Error(err)
	}
}
