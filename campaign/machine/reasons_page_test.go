package machine

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/output"
)

// The page of reasons lists what the gates refuse for, and nothing else but the reasons of
// decisions that are made without them.
func TestReasonsOfGatesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/reference/reasons.md")
	if err != nil {
		t.Fatal(err)
	}
	var entry, send []output.Reason
	for _, g := range slices.Concat(entryGates, groupGates) {
		entry = append(entry, g.reasons...)
	}
	for _, g := range sendGates {
		send = append(send, g.reasons...)
	}
	emitted := []output.Reason{output.ReasonDepth, output.ReasonTooManyMade}
	for kind, want := range map[output.Kind][]output.Reason{ //nudge:unordered each is looked at alone
		output.Refused: slices.Concat(entry, otherReasons, []output.Reason{output.ReasonMergedElse}),
		output.Dropped: slices.Concat(send, emitted),
	} {
		slices.Sort(want)
		if got := listedReasons(string(page), kind); !slices.Equal(got, slices.Compact(want)) {
			t.Errorf("docs/reference/reasons.md says of %s\n%q; the gates say\n%q", kind, got, slices.Compact(want))
		}
	}
	for _, reason := range append(entry, send...) {
		if !regexp.MustCompile("(?m)^\\| [^|]*`" + string(reason) + "`[^|]* \\| [^`]").MatchString(string(page)) {
			t.Errorf("docs/reference/reasons.md does not say what %s means", reason)
		}
	}
}

// listedReasons are the reasons that the page lists for a kind of decision, sorted.
func listedReasons(page string, kind output.Kind) (all []output.Reason) {
	_, table, _ := strings.Cut(page, "## Reasons of each kind")
	for line := range strings.SplitSeq(table, "\n") {
		if cells := strings.Split(line, "|"); len(cells) > 2 && strings.TrimSpace(cells[1]) == "`"+string(kind)+"`" {
			for _, name := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(cells[2], -1) {
				all = append(all, output.Reason(name[1]))
			}
		}
	}
	slices.Sort(all)
	return all
}
