package secret

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
)

func TestURLShowsNoSecret(t *testing.T) {
	f := func(url, want string) {
		t.Helper()
		u := URL(url)
		if got := u.String(); got != want {
			t.Errorf("%q is shown as %q; want %q", url, got, want)
		}
		logged := new(bytes.Buffer)
		slog.New(slog.NewTextHandler(logged, nil)).Info("m", slog.Any("url", u), slog.Any("in", struct{ U URL }{u}))
		asJSON, err := json.Marshal(map[string]any{"u": u, "p": &u})
		if err != nil {
			t.Fatal(err)
		}
		all := fmt.Sprintf("%v %+v %#v %s %q", u, struct{ U URL }{u}, u, u, u) + logged.String() + string(asJSON)
		if strings.Contains(all, "hush") {
			t.Errorf("%q shows in %s", url, all)
		}
	}
	f("", "")
	f("http://127.0.0.1:8123", "http://127.0.0.1:8123")
	f("clickhouse://u:hush@host:9000/db", "clickhouse://(set)@host:9000/db")
	f("clickhouse://u:hush@h1:9000,h2:9000/db", "(set)")
	f("clickhouse://host:9000/db?username=u&password=hush", "clickhouse://host:9000/db?(set)")
	f("http://host/?password=a@hush", "(set)")
	f("nats://hush@host:4222", "nats://(set)@host:4222")
	f("u:hush@host:4222", "(set)@host:4222")
	f("nats://a:hush@h1:4222,nats://b:hush2@h2:4222", "nats://(set)@h1:4222,nats://(set)@h2:4222")
	f("nats://h1:4222,nats://h2:4222", "nats://h1:4222,nats://h2:4222")
	f("nats://u:12,hush@host", "(set)")
	f("clickhouse://u:p?hush@host", "(set)")
	f("clickhouse://u:p/hush@host", "(set)")
	f("clickhouse://u:p@hush@host", "(set)")
	f("://hush", "(set)")
	f("http://host/#hush", "http://host/?(set)")
}

func TestFilter(t *testing.T) {
	filter := NewFilter([]Text{"key-of-letters", `with "quotes" in it`, "abc"}, []URL{
		"clickhouse://user:p%40ss-hush@host:9000/db?password=query%2Bhush", "nats://token-hush@host", "http://open:1",
	})
	f := func(text, want string) {
		t.Helper()
		if got := filter.Text(text); got != want {
			t.Errorf("%q becomes %q; want %q", text, got, want)
		}
	}
	f("the key key-of-letters is wrong", "the key (set) is wrong")
	f(fmt.Sprintf("quoted %q, twice %q", `with "quotes" in it`, fmt.Sprintf("%q", `with "quotes" in it`)),
		`quoted "(set)", twice "\"(set)\""`)
	f(`parse "clickhouse://user:p%40ss-hush@host:9000/db?password=query%2Bhush": bad`, `parse "(set)": bad`)
	f("password p@ss-hush of user", "password (set) of user")
	f("query+hush token-hush", "(set) (set)")
	f("abc http://open:1", "abc http://open:1")
	err := filter.Error(fmt.Errorf("at key-of-letters: %w", &fs.PathError{Op: "open", Path: "key-of-letters", Err: fs.ErrNotExist}))
	var path *fs.PathError
	if strings.Contains(fmt.Sprintf("%v %+v %s", err, err, errors.Join(err)), "letters") || !errors.Is(err, fs.ErrNotExist) ||
		!errors.As(err, &path) {
		t.Errorf("unexpected error %v", err)
	}
	if filter.Error(nil) != nil {
		t.Error("no error became one")
	}
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(filter.Writer(&out), nil)).Error("m", slog.Any("error", errors.New(`at with "quotes" in it`)))
	if strings.Contains(out.String(), "quotes") {
		t.Errorf("the log says %s", out.String())
	}
}
