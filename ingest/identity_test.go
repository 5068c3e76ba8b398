package ingest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/campaign/event"
)

// nobodies are ids that broken clients send for everybody, as JSON.
var nobodies = []string{
	`"undefined"`, `" Undefined "`, `"null"`, `"None"`, `"NaN"`, `"[object Object]"`, `"0"`, `0`, `-1`, `"anonymous"`,
	`"00000000-0000-0000-0000-000000000000"`, `"\"null\""`, `" "`,
}

// who is the customer of each event, and of an alias event also whom it names.
func who(events []event.Event) []string {
	all := []string{}
	for _, e := range events {
		of := e.Type.String() + " " + e.Customer
		if e.Type == event.Alias {
			of += " " + string(e.Properties)
		}
		all = append(all, of)
	}
	slices.Sort(all)
	return all
}

// A userId that names nobody makes no customer and merges nobody: the call is the anonymous
// customer's.
func TestUserIDOfNobody(t *testing.T) {
	for _, nobody := range nobodies {
		w := newHookWorld(t)
		for _, c := range [][2]string{
			{"/v1/identify", `{"anonymousId":"v","userId":` + nobody + `,"traits":{"name":"Ann"}}`},
			{"/v1/track", `{"anonymousId":"v","userId":` + nobody + `,"event":"E"}`},
			{"/v1/identify", `{"anonymousId":` + nobody + `,"userId":"ann"}`},
			{"/v1/alias", `{"previousId":` + nobody + `,"anonymousId":"v","userId":"ann"}`},
			{"/v1/hooks/lead", `{"contact":{"id":` + nobody + `,"phones":["+380441234567"]},"anonymousId":"v"}`},
		} {
			if a := w.postAs(t, "system-key", c[0], c[1]); a.status != http.StatusOK {
				t.Errorf("%s %s: unexpected answer %+v", c[0], c[1], a)
			}
		}
		events, _ := w.stored(t)
		want := []string{`alias anon:v {"userId":"ann"}`, "identify ann", "identify anon:v", "track anon:v", "track anon:v"}
		if got := who(events); !slices.Equal(got, want) {
			t.Errorf("%s: the log holds %q; want %q", nobody, got, want)
		}
	}
}

// Where no id names somebody the call is refused, with the field.
func TestOnlyIDsOfNobody(t *testing.T) {
	w := newHookWorld(t)
	for _, nobody := range nobodies {
		for _, c := range [][3]string{
			{"/v1/track", `{"userId":` + nobody + `,"event":"Storm"}`, "userId"}, // no broadcast either
			{"/v1/track", `{"userId":"","anonymousId":` + nobody + `,"event":"Storm"}`, "anonymousId"},
			{"/v1/identify", `{"userId":` + nobody + `,"anonymousId":"null"}`, "userId"},
			{"/v1/alias", `{"userId":` + nobody + `,"previousId":"v"}`, "userId"},
			{"/v1/alias", `{"userId":"ann","previousId":` + nobody + `}`, "previousId"},
			{"/v1/alias", `{"userId":"ann","anonymousId":` + nobody + `}`, "anonymousId"},
			{"/v1/hooks/lead", `{"contact":{"id":` + nobody + `,"phones":["+380441234567"]}}`, "userId"},
			{"/v1/hooks/lead", `{"contact":{"phones":["+380441234567"]},"anonymousId":` + nobody + `}`, "anonymousId"},
		} {
			a := w.postAs(t, "system-key", c[0], c[1])
			if a.status < 400 || a.status >= 500 || a.Code != "nobody" || len(a.Errors) != 1 || a.Errors[0].Path != c[2] {
				t.Errorf("%s %s: unexpected answer %+v; want nobody at %s", c[0], c[1], a, c[2])
			}
		}
	}
	a := w.post(t, "/v1/batch", `{"batch":[{"type":"track","userId":"undefined","event":"E"}]}`)
	if len(a.Rejected) != 1 || a.Rejected[0].Code != "nobody" || a.Rejected[0].Path != "userId" {
		t.Errorf("unexpected answer %+v", a)
	}
	if events, _ := w.stored(t); len(events) != 0 {
		t.Errorf("the log holds %q; want nothing", who(events))
	}
}

// A messageId that names nothing is none: else all messages of a broken client were one.
func TestMessageIDOfNothing(t *testing.T) {
	w := newWorld(t, nil)
	for range 2 {
		w.post(t, "/v1/track", `{"userId":"u","event":"E","messageId":"undefined"}`)
	}
	events, _ := w.stored(t)
	if len(events) != 2 || events[0].ID == events[1].ID || len(events[0].ID) != 36 {
		t.Errorf("unexpected events %+v", events)
	}
}

// A whole number is an id, as its digits; a byte-order mark does not matter.
func TestWholeNumberAsID(t *testing.T) {
	w := newWorld(t, nil)
	for _, c := range [][2]string{
		{"/v1/track", "\ufeff" + `{"userId":17,"event":"E"}`},
		{"/v1/track", `{"userId":1.7e1,"event":"E","messageId":5}`},
		{"/v1/identify", `{"userId":17,"anonymousId":12345678901234567890}`},
		{"/v1/alias", `{"userId":17,"previousId":8}`},
	} {
		if a := w.post(t, c[0], c[1]); a.status != http.StatusOK {
			t.Errorf("%s %s: unexpected answer %+v", c[0], c[1], a)
		}
	}
	events, _ := w.stored(t)
	want := []string{
		`alias anon:12345678901234567890 {"userId":"17"}`, `alias anon:8 {"userId":"17"}`, "identify 17", "track 17", "track 17",
	}
	if got := who(events); !slices.Equal(got, want) {
		t.Errorf("the log holds %q; want %q", got, want)
	}
}

// When an event happened, by what the client wrote; the server's clock shows 10:00.
func TestEventTime(t *testing.T) {
	w := newWorld(t, nil)
	for n, c := range []struct {
		body string
		want string // RFC 3339
	}{
		{`"timestamp":"2026-03-01T09:00:00+0000"`, "2026-03-01T09:00:00Z"},
		{`"timestamp":"2026-03-01T11:00:00.5+0200"`, "2026-03-01T09:00:00.5Z"},
		{`"timestamp":"2026-03-01T11:00:00+02"`, "2026-03-01T09:00:00Z"},
		{`"timestamp":"2026-03-01 09:00:00Z"`, "2026-03-01T09:00:00Z"},
		{`"timestamp":"2026-03-01T09:00:00,25Z"`, "2026-03-01T09:00:00.25Z"},
		{`"timestamp":1772355600`, "2026-03-01T09:00:00Z"},
		{`"timestamp":1772355600250`, "2026-03-01T09:00:00.25Z"},
		{`"timestamp":1772355600.25`, "2026-03-01T09:00:00.25Z"},
		{`"timestamp":"1772355600"`, "2026-03-01T09:00:00Z"},
		{`"timestamp":"1772355600250"`, "2026-03-01T09:00:00.25Z"},
		{`"timestamp":1.7723556e9`, "2026-03-01T09:00:00Z"},
		{`"timestamp":"2016-04-01T00:00:00Z"`, "2016-04-01T00:00:00Z"},
		{`"timestamp":"1999-01-01T00:00:00Z","historical":true`, "1999-01-01T00:00:00Z"},
		{`"timestamp":"9998-01-01T00:00:00Z"`, "2026-03-01T10:00:00Z"},                                 // never ahead
		{`"timestamp":"2026-03-01T09:59:29Z","sentAt":"2026-03-01T09:59:30Z"`, "2026-03-01T09:59:29Z"}, // slow request
		{`"timestamp":"2026-03-01T09:00:00Z","sentAt":"2026-03-01T09:59:00Z"`, "2026-03-01T09:00:00Z"},
		{`"timestamp":"2026-03-01T09:00:00Z","sentAt":"2026-03-01T09:58:59Z"`, "2026-03-01T09:01:01Z"}, // clock behind
		{`"timestamp":"2026-03-01T09:00:00Z","sentAt":"2026-03-01T10:00:01Z"`, "2026-03-01T09:00:00Z"},
		{`"timestamp":"2026-03-01T09:00:00Z","sentAt":"2026-03-01T10:00:02Z"`, "2026-03-01T08:59:58Z"}, // clock ahead
		{`"timestamp":"1970-01-01T00:01:00Z","sentAt":60.5`, "2026-03-01T09:59:59.5Z"},                 // a clock that was reset
		{`"timestamp":"2026-03-01T09:00:00Z","sentAt":"1970-01-01T00:00:00Z"`, "2026-03-01T10:00:00Z"}, // sent before it happened
	} {
		id := fmt.Sprint("time-", n)
		if a := w.post(t, "/v1/track", `{"userId":"u","event":"E","messageId":"`+id+`",`+c.body+`}`); a.status != http.StatusOK {
			t.Errorf("%s: unexpected answer %+v", c.body, a)
			continue
		}
		events, _ := w.stored(t)
		for _, e := range events {
			if got := formatted(e.Time); e.ID == id && got != c.want {
				t.Errorf("%s: the event is of %s; want %s", c.body, got, c.want)
			}
		}
	}
}

// The name and category of a page or screen, and a group's id, are properties; a property of
// that name goes before.
func TestNamesAreProperties(t *testing.T) {
	w := newWorld(t, nil)
	for n, c := range []struct{ path, body, want string }{
		{"/v1/page", `"name":"Pricing","category":"Docs","properties":{"url":"/p"}`, `{"url":"/p","category":"Docs","name":"Pricing"}`},
		{"/v1/page", `"name":"Pricing","properties":{"name":"Mine"}`, `{"name":"Mine"}`},
		{"/v1/screen", `"name":"Home"`, `{"name":"Home"}`},
		{"/v1/screen", `"category":"Shop","properties":null`, `{"category":"Shop"}`},
		{"/v1/screen", `"properties":{}`, `{}`},
		{"/v1/group", `"groupId":"g","traits":{"plan":"pro"},"properties":{"a":1}`, `{"a":1,"groupId":"g"}`},
		{"/v1/group", `"groupId":7`, `{"groupId":"7"}`},
	} {
		id := fmt.Sprint("named-", n)
		if a := w.post(t, c.path, `{"userId":"u","messageId":"`+id+`",`+c.body+`}`); a.status != http.StatusOK {
			t.Errorf("%s: unexpected answer %+v", c.body, a)
			continue
		}
		events, _ := w.stored(t)
		for _, e := range events {
			if e.ID == id && string(e.Properties) != c.want {
				t.Errorf("%s %s: the properties are %s; want %s", c.path, c.body, e.Properties, c.want)
			}
		}
	}
	if a := w.post(t, "/v1/page", `{"userId":"u","name":["a"]}`); a.status != 400 || a.Errors[0].Path != "name" {
		t.Errorf("unexpected answer %+v", a)
	}
}

// RudderStack's clients send the traits of an identify in its context; those of the call itself
// go before. In the context of other calls they say who the customer was, and set nothing.
func TestTraitsInContext(t *testing.T) {
	w := newWorld(t, nil)
	large := strings.Repeat("x", 20<<10)
	for n, c := range []struct{ body, traits, context string }{
		{`"type":"identify","context":{"ip":"::1","traits":{"email":"a@b.c"}}`, `{"email":"a@b.c"}`, `{"ip":"::1"}`},
		{
			`"type":"identify","traits":{"age":41,"a\"b":1},"context":{"traits":{"age":7,"a\"b":2,"\u00fc\n":"x"}}`,
			`{"age":41,"a\"b":1,"ü\n":"x"}`, `{}`,
		},
		{`"type":"identify","traits":null,"context":{"traits":{"a":null}}`, `{"a":null}`, `{}`},
		{`"type":"identify","traits":{"a":1},"context":{"traits":null}`, `{"a":1}`, `{"traits":null}`},
		{`"type":"identify"`, `{"of":"batch"}`, `{"traits":{"of":"batch"}}`},
		{`"type":"identify","context":{"traits":{"a":"` + large + `"}}`, `{"a":"` + large + `"}`, `{}`},
		{`"type":"group","groupId":"g","context":{"traits":{"a":1}}`, ``, `{"traits":{"a":1}}`},
		{`"type":"track","event":"E","context":{"traits":{"a":1}}`, ``, `{"traits":{"a":1}}`},
	} {
		id := fmt.Sprint("traits-", n)
		body := `{"context":{"traits":{"of":"batch"}},"batch":[{"userId":"u","messageId":"` + id + `",` + c.body + `}]}`
		if a := w.post(t, "/v1/batch", body); a.Accepted != 1 {
			t.Errorf("%.100s: unexpected answer %+v", c.body, a)
			continue
		}
		events, _ := w.stored(t)
		if e := events[len(events)-1]; string(e.Traits) != c.traits || string(e.Context) != c.context {
			t.Errorf("%.100s: traits %.100s, context %.100s; want %.100s, %s", c.body, e.Traits, e.Context, c.traits, c.context)
		}
	}
	a := w.post(t, "/v1/identify", `{"userId":"u","context":{"traits":["a"]}}`)
	if a.status != 400 || a.Errors[0].Path != "context.traits" {
		t.Errorf("unexpected answer %+v", a)
	}
}

// The key that makes a retried call one event is a printable text.
func TestIdempotencyKey(t *testing.T) {
	w := newWorld(t, nil)
	for _, key := range []string{"a\xffb", "a\tb", strings.Repeat("k", 256), "a\u202eb"} {
		a := w.post(t, "/v1/track", `{"userId":"u","event":"E"}`, "Idempotency-Key", key)
		if a.status != 400 || len(a.Errors) != 1 || a.Errors[0].Path != "Idempotency-Key" {
			t.Errorf("%q: unexpected answer %+v", key, a)
		}
	}
	if a := w.post(t, "/v1/track", `{"userId":"u","event":"E"}`, "Idempotency-Key", "Zahlung-Ä 7"); a.status != http.StatusOK {
		t.Errorf("unexpected answer %+v", a)
	}
	if events, _ := w.stored(t); len(events) != 1 || events[0].ID != "Zahlung-Ä 7" {
		t.Errorf("unexpected events %+v", events)
	}
}

func formatted(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339Nano) }
