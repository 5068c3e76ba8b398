package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What a server or a customer says reaches the terminal as text only: no escape sequence, and no
// CR that goes back over a line.
func TestAnswersCannotDriveTheTerminal(t *testing.T) {
	const evil = "x\x1b]0;title\x07\x1b[2J\u009b31m\x7f\rforged"
	body := ""
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	escaped := strings.NewReplacer("\x1b", `\u001b`, "\x07", `\u0007`, "\r", `\r`).Replace(evil)
	for _, c := range []struct {
		name, body string
		status     int
		args       []string
	}{
		{
			"values", `{"campaign":"c","figures":{"errors":[{"customer":"` + escaped + `","detail":"` + escaped + `"}]}}`,
			http.StatusOK,
			[]string{"status", "c"},
		},
		{
			"a key", `{"customer":"` + escaped + `","occasions":[{"what":"event","name":"` + escaped + `"}]}`,
			http.StatusOK,
			[]string{"explain", "c"},
		},
		{"raw", evil, http.StatusOK, []string{"customer", "c"}},
		{"a refusal", `{"detail":"` + escaped + `"}`, http.StatusNotFound, []string{"status", "c"}},
		{"a proxy's", evil, http.StatusBadGateway, []string{"status", "c"}},
	} {
		body, status = c.body, c.status
		_, out, errs := runTool(t, append(c.args, "--admin", server.URL)...)
		if !strings.Contains(out+errs, `\u001b]0;title`) {
			t.Errorf("%s: the text does not show what it was: %q", c.name, out+errs)
		}
		if i := strings.IndexAny(out+errs, "\x1b\x07\u009b\x7f\r"); i >= 0 {
			t.Errorf("%s: a control character gets through: %q", c.name, (out + errs)[i:])
		}
	}
}

// Other texts stay as they are, however they are cut into writes.
func TestShownKeepsText(t *testing.T) {
	const text = "a\tb\nc\r\nčeština 日本 🎉 \u200f\xff\xc2 ende\n"
	for size := 1; size < 8; size++ {
		var got bytes.Buffer
		w := forTerminal(forTerminal(&got))
		for rest := text; rest != ""; {
			n := min(size, len(rest))
			if m, err := io.WriteString(w, rest[:n]); err != nil || m != n {
				t.Fatalf("wrote %d of %d, error %v", m, n, err)
			}
			rest = rest[n:]
		}
		if got.String() != text {
			t.Errorf("in pieces of %d: got %q; want %q", size, got.String(), text)
		}
	}
}
