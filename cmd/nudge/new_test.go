package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/presets"
)

// Each preset, copied under another name into an empty directory, checks without a
// warning there, and its scenarios hold.
func TestNew(t *testing.T) {
	// shows: 99, 174, 202, 203
	all, err := presets.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		t.Run(p.Name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "campaigns")
			if code, out, errs := runTool(t, "new", "my-own", "--preset", p.Name, "--dir", dir); code != 0 ||
				!strings.Contains(out, p.Summary) {
				t.Fatalf("new: exit %d: %s%s", code, out, errs)
			}
			if code, out, errs := runTool(t, "check", dir); code != 0 || strings.Contains(out, "warning") ||
				!strings.Contains(out, "Campaign my-own") {
				t.Errorf("check: exit %d: %s%s", code, out, errs)
			}
			code, out, errs := runTool(t, "test", dir, "--only", "my-own")
			if code != 0 || strings.Count(out, "ok    my-own-") != strings.Count(string(p.Text), "\nkind: Scenario\n") {
				t.Errorf("test: exit %d: %s%s", code, out, errs)
			}
		})
	}
}

// A directory can take all the presets; what they share is there once.
func TestNewAllTogether(t *testing.T) {
	all, err := presets.All()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, p := range all {
		if code, _, errs := runTool(t, "new", "my-"+p.Name, "--preset", p.Name, "--dir", dir); code != 0 {
			t.Fatalf("%s: exit %d: %s", p.Name, code, errs)
		}
	}
	if code, out, errs := runTool(t, "check", dir); code != 0 {
		t.Errorf("check: exit %d: %s%s", code, out, errs)
	}
	if code, out, errs := runTool(t, "test", dir); code != 0 {
		t.Errorf("test: exit %d: %s%s", code, out, errs)
	}
}

// Nothing is overwritten, and nothing is written that would not check.
func TestNewRefuses(t *testing.T) {
	dir := t.TempDir()
	fresh := func(args ...string) (int, string) {
		t.Helper()
		code, _, errs := runTool(t, append([]string{"new"}, append(args, "--dir", dir)...)...)
		return code, errs
	}
	if code, errs := fresh("mine", "--preset", "cart-abandoned"); code != 0 {
		t.Fatal(errs)
	}
	before, err := os.ReadFile(filepath.Join(dir, "mine.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"is there already":               {"mine", "--preset", "welcome"},
		"there is no preset \"nothing\"": {"other", "--preset", "nothing"},
		"a name and --preset are needed": {"other"},
		"there is no campaign \"none\"":  {"other", "--from", "none"},
		"nothing was written":            {"../other", "--preset", "welcome"},
	} {
		if code, errs := fresh(args...); code != 1 || !strings.Contains(errs, want) {
			t.Errorf("%v: exit %d: %s; want %q", args, code, errs, want)
		}
	}
	// One error, and not one for each place of the preset that has the name.
	if code, errs := fresh("My X", "--preset", "welcome"); code != 1 ||
		errs != "nudge: the name \"My X\": use letters, digits, '-' and '_', at most 64; for example My-X; nothing was written\n" {
		t.Errorf("a name with a space: exit %d: %s", code, errs)
	}
	// Another file has a campaign of that name.
	if err := os.Rename(filepath.Join(dir, "mine.yaml"), filepath.Join(dir, "renamed.yaml")); err != nil {
		t.Fatal(err)
	}
	if code, errs := fresh("mine", "--preset", "cart-abandoned"); code != 1 || !strings.Contains(errs, "defined already") {
		t.Errorf("a name taken in another file: exit %d: %s", code, errs)
	}
	if after, err := os.ReadFile(filepath.Join(dir, "renamed.yaml")); err != nil || string(after) != string(before) {
		t.Errorf("the file changed: %v", err)
	}
	if found, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(found) != 3 {
		t.Errorf("files %v, %v; want renamed.yaml, workspace.yaml and the schema", found, err)
	}
}

func TestLists(t *testing.T) {
	all, err := presets.All()
	if err != nil {
		t.Fatal(err)
	}
	code, out, _ := runTool(t, "new", "--list")
	if lines := strings.Split(strings.TrimSpace(out), "\n"); code != 0 || len(lines) != len(all) {
		t.Errorf("exit %d: %d lines for %d presets:\n%s", code, len(lines), len(all), out)
	}
	events, err := presets.Events()
	if err != nil {
		t.Fatal(err)
	}
	code, out, _ = runTool(t, "events")
	for _, e := range events {
		if code != 0 || !strings.Contains(out, "  "+e.Name+" ") {
			t.Errorf("exit %d: %s is not listed", code, e.Name)
		}
	}
	for want, args := range map[string][]string{
		`{"event":"Tag Added","properties":{"by":"import","tag":"vip"},"userId":"ann"}`: {"tag added"},
		"  Appointment Booked ":                      {"appointment"},
		`"where": "event.properties.tag == \"vip\""`: {"tag", "--json"},
	} {
		if code, out, errs := runTool(t, append([]string{"events"}, args...)...); code != 0 || !strings.Contains(out, want) {
			t.Errorf("events %v: exit %d: %s%s; want %q", args, code, out, errs, want)
		}
	}
	if code, _, errs := runTool(t, "events", "nothing"); code != 1 || !strings.Contains(errs, "no event of the catalogue") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// The reminder shows the cart as it was last, and a text of its own for who has no name.
func TestPresetMessage(t *testing.T) {
	// shows: 49
	dir, result := t.TempDir(), t.TempDir()
	if code, _, errs := runTool(t, "new", "carts", "--preset", "cart-abandoned", "--dir", dir); code != 0 {
		t.Fatal(errs)
	}
	calls := filepath.Join(t.TempDir(), "calls.ndjson")
	const cart = `{"type":"track","userId":"ann","messageId":"%ID","event":"Cart Updated",` +
		`"properties":{"cart_id":"A","value":%VALUE,"currency":"EUR"},"timestamp":"2026-03-02T1%ID:00:00Z"}` + "\n"
	text := strings.NewReplacer("%ID", "0", "%VALUE", "30").Replace(cart) +
		strings.NewReplacer("%ID", "1", "%VALUE", "45").Replace(cart)
	if err := os.WriteFile(calls, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := runTool(t, "simulate", "--campaigns", dir, "--events", calls, "--out", result); code != 0 {
		t.Fatal(errs)
	}
	deliveries, err := os.ReadFile(filepath.Join(result, "deliveries.ndjson"))
	if want := `"body":"Hello, your cart of 45 EUR is still there."`; err != nil ||
		!strings.Contains(string(deliveries), want) || strings.Contains(string(deliveries), "cart of 30") {
		t.Errorf("%v; no %s in\n%s", err, want, deliveries)
	}
}
