package main

import (
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestExplain tells histories, and has them explained: testdata/explain/*.txt. Commands:
//
//	apply                   the input is definitions, put in force
//	at TIME                 the clock of what follows
//	advance DURATION        timers fire, each at its instant
//	calls                   recorded calls, one a line
//	checkpoint [trim]       a checkpoint; trim drops the log before it
//	nudge ARGS              the tool over the directory
//	present ID [CAMPAIGN]   how the customer stands, as a running server says it
func TestExplain(t *testing.T) {
	// shows: 175
	datadriven.Walk(t, "testdata/explain", func(t *testing.T, path string) {
		t.Helper()
		s := newStory(t, t.TempDir())
		defer s.close(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			t.Helper()
			switch d.Cmd {
			case "apply":
				s.apply(t, d.Input)
			case "at":
				s.clock = at(t, d.CmdArgs[0].Key)
			case "advance":
				s.advance(t, d.CmdArgs[0].Key)
			case "calls":
				s.calls(t, d.Input)
			case "checkpoint":
				s.checkpoint(t, len(d.CmdArgs) > 0)
			case "present":
				name := ""
				if len(d.CmdArgs) > 1 {
					name = d.CmdArgs[1].Key
				}
				return s.present(t, d.CmdArgs[0].Key, name)
			case "nudge":
				var args []string
				for _, a := range d.CmdArgs {
					arg := a.Key
					if len(a.Vals) > 0 {
						arg += "=" + strings.Join(a.Vals, ",")
					}
					args = append(args, arg)
				}
				out, _ := s.tool(t, args...)
				return out
			default:
				t.Fatalf("%s: unknown command %q", d.Pos, d.Cmd)
			}
			return "ok\n"
		})
	})
}
