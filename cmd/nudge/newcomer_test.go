package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/internal/definition"
)

// What a newcomer types in a directory where nothing is yet: the campaign of a preset is
// made, played and applied, without a path and with the key of the server beside.
func TestNewcomer(t *testing.T) {
	// shows: 99
	t.Chdir(t.TempDir())
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	var sent filesBody
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var files []definition.File
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			t.Error(err)
		}
		for _, f := range sent.Files {
			files = append(files, definition.File{Name: f.Name, Text: []byte(f.Text)})
		}
		if _, err := definition.Parse(lang, files, definition.Options{}); err != nil {
			t.Error(err)
		}
		if _, err := w.Write([]byte(`{"applied":[{"kind":"Campaign","name":"my-carts","version":1,"changed":true}]}`)); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	t.Setenv("NUDGE_ADMIN_LISTEN", server.Listener.Addr().String())
	t.Setenv("NUDGE_ADMIN_KEY", "test-admin-key-0001")
	f := func(want string, args ...string) {
		t.Helper()
		if code, out, errs := runTool(t, args...); code != 0 || !strings.Contains(out, want) {
			t.Errorf("%v: exit %d: %s%s; want %q", args, code, out, errs, want)
		}
	}
	f("nudge apply\n", "new", "my-carts", "--preset", "cart-abandoned")
	f("ok    my-carts-cleared", "test")
	f("Campaign my-carts: ok", "check")
	f("campaigns: 1 of 1 documents changed; all are in force at http://", "apply")
	if len(sent.Files) != 2 || sent.Files[0].Name != filepath.Join("campaigns", "my-carts.yaml") {
		t.Errorf("unexpected files %+v", sent.Files)
	}
	// Someone who stands in the directory means that one.
	t.Chdir("campaigns")
	f("other.yaml", "new", "other", "--preset", "welcome")
	f("Campaign other: ok", "check")
	if _, err := os.Stat("campaigns"); err == nil {
		t.Error("a directory campaigns was made inside campaigns")
	}
}

// Without campaigns, and without a server, the tool says what to do.
func TestNewcomerIsTold(t *testing.T) {
	t.Chdir(t.TempDir())
	f := func(want string, args ...string) {
		t.Helper()
		if code, _, errs := runTool(t, args...); code == 0 || !strings.Contains(errs, want) {
			t.Errorf("%v: exit %d: %s; want %q", args, code, errs, want)
		}
	}
	for _, command := range []string{"check", "test", "apply"} {
		f("nudge new my-campaign --preset cart-abandoned", command)
	}
	f(`did you mean "cart-abandoned"?`, "new", "carts", "--preset", "cart-abando")
	f(`did you mean "check"?`, "chekc")
	if code, _, errs := runTool(t, "new", "carts", "--preset", "welcome"); code != 0 {
		t.Fatal(errs)
	}
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	f("start one in another terminal with `make run` or `nudged`", "apply", "--admin", closed.Listener.Addr().String())
}

// What editors and synchronisers leave behind is passed over, and said so when it is
// asked for.
func TestHiddenFiles(t *testing.T) {
	dir := t.TempDir()
	if code, _, errs := runTool(t, "new", "carts", "--preset", "welcome", "--dir", dir); code != 0 {
		t.Fatal(errs)
	}
	hidden := filepath.Join(dir, ".#carts.yaml")
	if err := os.WriteFile(hidden, []byte("no: campaign\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := runTool(t, "check", dir); code != 0 || !strings.Contains(out, "Campaign carts: ok") {
		t.Errorf("check: exit %d: %s%s", code, out, errs)
	}
	if code, _, errs := runTool(t, "new", "more", "--preset", "cart-abandoned", "--dir", dir); code != 0 {
		t.Errorf("new: exit %d: %s", code, errs)
	}
	code, _, errs := runTool(t, "check", hidden)
	if code != 1 || !strings.Contains(errs, "is hidden") || strings.Contains(errs, "unknown field") {
		t.Errorf("check of a hidden file: exit %d: %s", code, errs)
	}
}

// Each document that new writes tells editors of the schema: a line at the top of a file
// counts for its first document only.
func TestNewForEditors(t *testing.T) {
	dir := t.TempDir()
	for _, preset := range []string{"welcome", "cart-abandoned"} {
		if code, _, errs := runTool(t, "new", "my-"+preset, "--preset", preset, "--dir", dir); code != 0 {
			t.Fatal(errs)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) != 3 {
		t.Fatalf("unexpected files %v, error %v", files, err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for i, document := range strings.Split("\n"+string(text), "\n---\n") {
			if strings.Contains(document, "\nkind:") &&
				strings.Count(document, "# yaml-language-server: $schema=.schema.json\n") != 1 {
				t.Errorf("%s: document %d names no schema, or several:\n%s", filepath.Base(f), i+1, document)
			}
		}
	}
	schema, err := os.ReadFile(filepath.Join(dir, ".schema.json"))
	if _, out, _ := runTool(t, "schema"); err != nil || string(schema) != out {
		t.Errorf("the schema beside the files is not what nudge schema prints: %v", err)
	}
	if code, _, errs := runTool(t, "check", dir); code != 0 {
		t.Error(errs)
	}
}
