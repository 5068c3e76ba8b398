package clients_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/internal/plainenv"
	"github.com/nudge-engine/nudge/internal/servertest"
)

// chromium is the browser's program. Only `make clients` of everything needs one.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("NUDGE_CLIENTS") == all {
		t.Fatal("there is no Chromium; install it (Debian: chromium)")
	}
	t.Skip("there is no Chromium (Debian: chromium): the client for browsers is not tried")
	return ""
}

// shop serves pages with the clients for browsers, and gives its port.
func shop(t *testing.T) string {
	t.Helper()
	modules := installed(t, "NUDGE_CLIENTS_NODE")
	files := http.NewServeMux()
	files.Handle("/", http.FileServer(http.Dir("node")))
	files.Handle("/analytics-next/bundles/", http.StripPrefix("/analytics-next/bundles/",
		http.FileServer(http.Dir(filepath.Join(modules, "@segment", "analytics-next", "dist", "umd")))))
	files.Handle("/rudderstack/", http.StripPrefix("/rudderstack/",
		http.FileServer(http.Dir(filepath.Join(modules, "@rudderstack", "analytics-js", "dist", "npm", "modern")))))
	s := httptest.NewServer(files)
	t.Cleanup(s.Close)
	_, port, _ := strings.Cut(s.Listener.Addr().String(), ":")
	return port
}

// told is what the page said.
type told struct {
	Failures, Errors, Asked []string
}

// browse opens the page of a story and keeps it open until the caller calls leave.
func browse(t *testing.T, s *server, page, name, strategy, what string) (told, func()) {
	t.Helper()
	query := url.Values{
		"host": {strings.TrimPrefix(s.url, "http://")}, "key": {s.keys.Write}, "name": {name}, "strategy": {strategy},
	}
	client := node(t, "page.mjs", chromium(t), page+"?"+query.Encode(), what)
	var complaints servertest.Output
	client.Env, client.Stderr, client.WaitDelay = plainenv.Environ(), &complaints, 10*time.Second
	stdin, err := client.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := client.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	limit := time.AfterFunc(2*time.Minute, func() { _ = client.Process.Kill() })
	leave := func() {
		_ = stdin.Close()
		_, _ = io.Copy(io.Discard, stdout)
		if err := client.Wait(); err != nil {
			t.Errorf("the browser: %v\n%s", err, complaints.String())
		}
		limit.Stop()
	}
	var said told
	if err := json.NewDecoder(stdout).Decode(&said); err != nil {
		leave()
		t.Fatalf("the page: %v\n%s", err, complaints.String())
	}
	return said, leave
}

func TestPage(t *testing.T) {
	needs(t, npm)
	chromium(t)
	port := shop(t)
	origin := "http://127.0.0.1:" + port
	every := begin(t)
	some := begin(t, "NUDGE_CORS_ORIGINS=https://shop.example,"+origin)
	const (
		segment     = "analytics.js"
		rudderstack = browserRudderstack
	)
	for name, c := range map[string]struct {
		to                      *server
		page, strategy, library string
	}{
		"page-single":             {every, origin + "/segment.html", "standard", segment},
		"page-batches":            {every, "http://localhost:" + port + "/segment.html", "batching", segment},
		"page-allowed":            {some, origin + "/segment.html", "standard", segment},
		"page-rudderstack":        {some, origin + "/rudderstack.html", "xhr", rudderstack},
		"page-rudderstack-beacon": {some, origin + "/rudderstack.html", "beacon", rudderstack},
	} {
		t.Run(name, func(t *testing.T) {
			said, leave := browse(t, c.to, c.page, name, c.strategy, "story")
			defer leave()
			if len(said.Failures) > 0 || len(said.Errors) > 0 {
				t.Errorf("the page said %+v", said)
			}
			for _, host := range said.Asked {
				if !strings.HasPrefix(host, "127.0.0.1:") && !strings.HasPrefix(host, "localhost:") {
					t.Errorf("the page asked %s", host)
				}
			}
			arrived(t, c.to, name, c.library)
		})
	}
	t.Run("page-refused", func(t *testing.T) {
		said, leave := browse(t, some, "http://localhost:"+port+"/segment.html", "page-refused", "standard", "story")
		leave()
		if !slices.ContainsFunc(said.Errors, func(e string) bool { return strings.Contains(e, "CORS policy") }) {
			t.Errorf("the page said %+v; want that it may not send", said)
		}
		nothingFrom(t, some, "page-refused")
	})
	t.Run("page-left", func(t *testing.T) {
		// What is under way when a page is left is sent again when it is opened the next time.
		_, leave := browse(t, every, origin+"/segment.html", "page-left", "standard", "leave")
		defer leave()
		servertest.Eventually(t, 30*time.Second, "the row", func() error {
			if found := count(t, every, "event = 'Left'"); found != 1 {
				return fmt.Errorf("%d rows; want 1", found)
			}
			return nil
		})
	})
}

// A page whose calls are answered with 429 tries again, and says so in a header of its own.
func TestPageTriesAgain(t *testing.T) {
	needs(t, npm)
	chromium(t)
	s := begin(t, "NUDGE_RATE_PER_KEY=1")
	one := `{"type": "track", "userId": "crowd", "event": "Seen"},`
	crowd := strings.TrimSuffix(strings.Repeat(one, 2_500), ",") // as many as a key has at once
	if status := post(t, s, `{"batch": [`+crowd+`]}`); status != http.StatusOK {
		t.Fatalf("the crowd is answered with %d", status)
	}
	_, leave := browse(t, s, "http://127.0.0.1:"+shop(t)+"/segment.html", "page-again", "standard", "story")
	defer leave()
	arrivedIn(t, s, "page-again", true, "analytics.js")
}

// nothingFrom shows that no row of a name comes: a later call of each customer comes alone.
func nothingFrom(t *testing.T, s *server, name string) {
	t.Helper()
	if status := post(t, s, fmt.Sprintf(`{"batch": [{"type": "track", "userId": "%[1]s-user", "event": "Later"},
		{"type": "track", "anonymousId": "%[1]s-visitor", "event": "Later"}]}`, name)); status != http.StatusOK {
		t.Fatalf("the later calls are answered with %d", status)
	}
	servertest.Eventually(t, 30*time.Second, "the later rows", func() error {
		if found := count(t, s, "event = 'Later'"); found != 2 {
			return fmt.Errorf("%d rows; want 2", found)
		}
		return nil
	})
	if found := count(t, s, "position(customer, '"+name+"-') > 0"); found != 2 {
		t.Errorf("%d rows; want the 2 later ones", found)
	}
}
