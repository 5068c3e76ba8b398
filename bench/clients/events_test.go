package clients_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/internal/servertest"
)

// row is what is compared of a row of nudge.events.
type row struct {
	Customer, Type, Event string
	Properties, Traits    any
}

// stored is a row with what differs from client to client.
type stored struct {
	row
	id, library    string
	at, receivedAt time.Time
}

// called reads the rows of the calls that a story of a name made, in a fixed order.
func called(t *testing.T, s *server, name string) ([]stored, error) {
	t.Helper()
	found, err := rows[struct {
		Customer, Type, Event, Properties, Traits, Context, ID string
		At, Received                                           int64 // ms
	}](t, s, "SELECT customer AS Customer, type AS Type, event AS Event, properties AS Properties, "+
		"traits AS Traits, context AS Context, message_id AS ID, toUnixTimestamp64Milli(event_time) AS At, "+
		"toUnixTimestamp64Milli(received_at) AS Received FROM nudge.events "+
		fmt.Sprintf("WHERE customer IN ('%[1]s-user', 'anon:%[1]s-visitor', 'anon:%[1]s-phone') ", name)+
		"ORDER BY type, event, customer, properties")
	if err != nil {
		return nil, err
	}
	result := make([]stored, 0, len(found))
	for _, f := range found {
		var context struct {
			Library struct{ Name string }
		}
		if f.Context != "" {
			if err := json.Unmarshal([]byte(f.Context), &context); err != nil {
				t.Fatalf("context %s: %v", f.Context, err)
			}
		}
		result = append(result, stored{
			row: row{f.Customer, f.Type, f.Event, value(t, f.Properties), value(t, f.Traits)},
			id:  f.ID, library: context.Library.Name, at: time.UnixMilli(f.At), receivedAt: time.UnixMilli(f.Received),
		})
	}
	return result, nil
}

// value decodes JSON and keeps each number as it was written; nil stands for nothing.
func value(t *testing.T, text string) any {
	t.Helper()
	if text == "" || text == "{}" {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

const (
	cart = `{"cart_id": "A-1", "value": 30.5, "quantity": 3, "largest": 9007199254740991, "gift": true,
		"title": "Grüße aus 東京 🛒 \"zitiert\"\n\\",
		"items": [{"sku": "S1", "price": 9.99}, {"sku": "", "price": -1}]}`
	person = `{"email": "zoe@example.com", "name": "Zoë Müller", "age": 41, "address": {"city": "Łódź"}}`
)

// story are the rows of the calls that every client makes, in the order of called. Identify
// and alias each name an anonymous customer, whose row says who they are now.
func story(t *testing.T, name string) []row {
	t.Helper()
	user := name + "-user"
	known := value(t, `{"userId": "`+user+`"}`)
	return []row{
		{"anon:" + name + "-phone", "alias", "$alias", known, nil},
		{"anon:" + name + "-visitor", "alias", "$alias", known, nil},
		{user, "group", "$group", value(t, `{"groupId": "acme"}`), value(t, `{"plan": "pro"}`)},
		{user, "identify", "$identify", nil, value(t, person)},
		{user, "page", "$page", value(t, `{"url": "/pricing", "name": "Pricing", "category": "Docs"}`), nil},
		{user, "screen", "$screen", value(t, `{"tab": 1, "name": "Home"}`), nil},
		{"anon:" + name + "-visitor", "track", "Cart Updated", value(t, cart), nil},
		{user, "track", "Order Completed", value(t, `{"order_id": 7}`), nil},
	}
}

// ofBrowsers are the properties that clients for browsers add to a page.
//
//nudge:constant read only
var ofBrowsers = []string{
	"path", "referrer", "search", "title", "tab_url", "referring_domain", "initial_referrer", "initial_referring_domain",
}

// browserRudderstack is the name of RudderStack's client for browsers, which knows no screens
// and takes no message ids.
const browserRudderstack = "RudderLabs JavaScript SDK"

// arrived waits for the rows of a story and compares them. libraries are the names that the
// client may give itself.
func arrived(t *testing.T, s *server, name string, libraries ...string) {
	t.Helper()
	arrivedIn(t, s, name, false, libraries...)
}

// arrivedIn is arrived for calls that may overtake each other: what a visitor did is then the
// customer's, where the call that says who they are came first.
func arrivedIn(t *testing.T, s *server, name string, anyOrder bool, libraries ...string) {
	t.Helper()
	want, chosen := story(t, name), !slices.Contains(libraries, browserRudderstack)
	if !chosen {
		want = slices.DeleteFunc(want, func(r row) bool { return r.Type == "screen" })
	}
	var got []stored
	servertest.Eventually(t, 60*time.Second, "rows of "+name, func() (err error) {
		got, err = called(t, s, name)
		if err == nil && len(got) < len(want) {
			err = fmt.Errorf("%d rows; want %d", len(got), len(want))
		}
		return err
	})
	if len(got) != len(want) {
		t.Errorf("%d rows; want %d", len(got), len(want))
	}
	ids := map[string]int{}
	for i, g := range got[:min(len(got), len(want))] {
		if page, ok := g.Properties.(map[string]any); ok && g.Type == "page" {
			for _, added := range ofBrowsers {
				delete(page, added)
			}
		}
		if anyOrder && g.Type == "track" && want[i].Customer == "anon:"+name+"-visitor" && g.Customer == name+"-user" {
			want[i].Customer = g.Customer
		}
		if !reflect.DeepEqual(g.row, want[i]) {
			t.Errorf("row %d is\n  %+v; want\n  %+v", i, g.row, want[i])
		}
		ids[g.id]++
		if g.Type != "alias" && !slices.Contains(libraries, g.library) {
			t.Errorf("a %s of the library %q; want one of %q", g.Type, g.library, libraries)
		}
		age, planned := g.receivedAt.Sub(g.at), time.Duration(0)
		if g.Event == "Order Completed" {
			planned = 2 * time.Hour
			if chosen && g.id != name+"-order" {
				t.Errorf("the order has the id %s", g.id)
			}
		}
		if age < planned || age > planned+time.Minute {
			t.Errorf("the %s was received %v after it happened; want %v", g.Type, age, planned)
		}
	}
	// The identify and the alias row that it makes have one id, all others their own.
	if len(ids) != len(want)-1 || ids[""] > 0 {
		t.Errorf("the ids are %v; want %d", ids, len(want)-1)
	}
}

// count is the number of event rows for which a condition holds.
func count(t *testing.T, s *server, condition string) int {
	t.Helper()
	found, err := rows[struct {
		N int
	}](t, s, "SELECT count() AS N FROM nudge.events WHERE "+condition)
	if err != nil || len(found) != 1 {
		t.Fatalf("count: %v", err)
	}
	return found[0].N
}

// post sends a batch without a client and gives the status of the answer.
func post(t *testing.T, s *server, body string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v1/batch", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.SetBasicAuth(s.keys.Write, "")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func TestEventClients(t *testing.T) {
	needs(t, npm)
	s := begin(t)
	for _, c := range []struct{ name, library, group, program, how string }{
		{"segment-node", "@segment/analytics-node", npm, "segment.mjs", ""},
		{"rudderstack-node", "analytics-node", npm, "rudderstack.mjs", ""}, // with gzip
		{"segment-go", "analytics-go", npm, "", ""},
		{"segment-python", "analytics-python", all, "segment_client.py", "plain"},
		{"segment-python-gzip", "analytics-python", all, "segment_client.py", "gzip"},
		{"rudderstack-python", "analytics-python", all, "rudderstack_client.py", ""}, // with gzip
	} {
		t.Run(c.name, func(t *testing.T) {
			needs(t, c.group)
			args := []string{s.url, s.keys.Write, c.name}
			if c.how != "" {
				args = append(args, c.how)
			}
			switch filepath.Ext(c.program) {
			case ".mjs":
				finish(t, node(t, c.program, args...))
			case ".py":
				finish(t, python(t, c.program, args...))
			default:
				finish(t, exec.CommandContext(t.Context(), filepath.Join(programs, "go"), args...))
			}
			arrived(t, s, c.name, c.library)
		})
	}
}
