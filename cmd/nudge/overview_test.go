package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Without a command the tool names all that there are, on half a screen; help and version
// are commands too; what cannot be understood is told in two lines.
func TestHelp(t *testing.T) {
	f := func(wantCode, most int, want []string, args ...string) {
		t.Helper()
		code, out, errs := runTool(t, args...)
		if code != wantCode || (errs == "") != (wantCode == 0) {
			t.Errorf("nudge %v: exit %d: %s", args, code, errs)
		}
		text := out + errs
		if n := strings.Count(text, "\n"); n > most {
			t.Errorf("nudge %v: %d lines; at most %d are wanted:\n%s", args, n, most, text)
		}
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("nudge %v: %q is missing in\n%s", args, w, text)
			}
		}
	}
	f(0, 20, []string{"Write campaigns:    new, ", "Run a server:       demo, ", "status my-carts", "help COMMAND explains one"})
	f(0, 50, []string{"nudge check\n", "  explain     Say why a customer"}, "help")
	f(0, 50, []string{"Usage: nudge apply", "--dry-run"}, "help", "apply")
	f(0, 1, []string{"nudge "}, "version")
	f(2, 2, []string{`did you mean "check"?`, `see "nudge help"`}, "chekc")
	f(2, 2, []string{"unknown flag --foo", `see "nudge help apply"`}, "apply", "--foo")
	f(2, 2, []string{"unexpected argument nonsense"}, "help", "nonsense")
}

// Every command is in a group, else the overview would leave it out.
func TestOverviewIsWhole(t *testing.T) {
	_, listed, _ := runTool(t, "--help")
	_, short, _ := runTool(t)
	for line := range strings.Lines(listed) {
		words := strings.Fields(line)
		if strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, "   ") && len(words) > 2 && words[0][0] != '-' &&
			!strings.Contains(short, words[0]) {
			t.Errorf("%s is not in\n%s", words[0], short)
		}
	}
	if strings.Contains(listed, "\nCommands:") {
		t.Errorf("a command has no group:\n%s", listed)
	}
}

// What newcomers try, and what they are told.
func TestNewcomersMistakes(t *testing.T) {
	t.Chdir(t.TempDir())
	f := func(want string, args ...string) {
		t.Helper()
		if code, _, errs := runTool(t, args...); code == 0 || !strings.Contains(errs, want) {
			t.Errorf("%v: exit %d: %s; want %q", args, code, errs, want)
		}
	}
	f("there is no file or directory nowhere: ", "check", "nowhere")
	f("that of the demo (make run) is nudge-demo-write-key", "key", "write")
	f("no write key was found in data/node.json", "replay", "nowhere")
	f("that of the demo (make run) is nudge-demo-write-key", "replay", "nowhere")
	f("one customer is needed", "explain")
	// Either name of the flag for a data directory.
	for _, command := range []string{"verify", "recover"} {
		for _, flag := range []string{"--data", "--data-dir"} {
			if code, _, errs := runTool(t, command, flag, "none"); code != 1 || strings.Contains(errs, "unknown flag") {
				t.Errorf("%s %s: exit %d: %s", command, flag, code, errs)
			}
		}
	}
	for _, flag := range []string{"--data", "--data-dir"} {
		f("the address for events cannot be used", "demo", flag, "demo", "--http", "none:0")
	}
	f("one customer is needed", "explain", "ann", "--customer", "bob")
	if code, out, errs := runTool(t, "new", "spring_carts", "--preset", "cart-abandoned"); code != 0 ||
		!strings.HasSuffix(out, "\n  nudge check\n  nudge test\n  nudge apply\n  nudge status spring_carts\n") {
		t.Errorf("new: exit %d: %s%s", code, out, errs)
	}
	var out strings.Builder
	if code := run([]string{"new", "more", "--preset", "welcome"}, console{out: &out, name: "bin/nudge"}); code != 0 ||
		!strings.Contains(out.String(), "\n  bin/nudge check\n") {
		t.Errorf("new: exit %d: %s", code, out.String())
	}
	f("spring_carts.yaml is there already, and Spring_Carts.yaml differs from it in upper and lower case only",
		"new", "Spring_Carts", "--preset", "cart-abandoned")
	if _, err := os.Stat(filepath.Join("campaigns", "Spring_Carts.yaml")); err == nil {
		t.Error("the file was written")
	}
}
