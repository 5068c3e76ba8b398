package expr

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/cel-go/common/types"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
)

// worstEvents are events of 32 KiB, each with another shape that makes an expression work.
func worstEvents() map[string]*event.Event {
	const size = 32 << 10
	fill := func(item func(i int) string) string {
		var b strings.Builder
		for i := 0; b.Len() < size-40; i++ {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(item(i))
		}
		return b.String()
	}
	half := func(text string) string { return text[:strings.LastIndexByte(text[:size/2], ',')] }
	list := fill(func(int) string { return "1" })
	keys := fill(func(i int) string { return fmt.Sprintf(`"k%d":1`, i) })
	properties := map[string]string{
		"text":  fmt.Sprintf(`{"s":"%s"}`, strings.Repeat("a", size-20)),
		"list":  fmt.Sprintf(`{"s":"a","l":[%s]}`, list),
		"keys":  fmt.Sprintf(`{"s":"a","m":{%s}}`, keys),
		"both":  fmt.Sprintf(`{"s":"a","l":[%s],"m":{%s}}`, half(list), half(keys)),
		"mixed": fmt.Sprintf(`{"s":"%s","l":[%s]}`, strings.Repeat("a", size/2), half(list)),
		"flat":  fmt.Sprintf(`{"s":"a","l":[%s],%s}`, half(list), half(keys)),
		"deep":  fmt.Sprintf(`{"s":"a","l":[%s],"m":%s1%s}`, half(list), strings.Repeat("[", 20), strings.Repeat("]", 20)),
	}
	all := map[string]*event.Event{}
	for name, text := range properties { //nudge:unordered each is asked alone
		all[name] = &event.Event{ID: name, Name: "E", Time: 1, Properties: []byte(text)}
	}
	return all
}

// worstExpressions would take seconds and more, each by another way, on some event of 32 KiB.
var worstExpressions = []string{
	`event.properties.l.all(x, event.properties.l.all(y, x == y || x != y))`,
	`event.properties.l.all(x, event.properties.l == event.properties.l)`,
	`event.properties.l.all(x, event.properties.m == trigger.properties.m)`,
	`event.properties.l.all(x, event.properties == trigger.properties)`,
	`event.properties.l.all(x, event.properties.l[0] == x)`,
	`event.properties.l.all(x, event.properties.m.exists(k, true))`,
	`event.properties.m.all(a, event.properties.m.all(b, event.properties.m[a] == event.properties.m[b]))`,
	`event.properties.l.all(x, event.properties.m.k1 == x)`,
	`event.properties.l.all(x, event.properties.s.matches("^(a|b|ab|aab)*c?$"))`,
	`event.properties.l.all(x, size(event.properties.s) > 0)`,
	`event.properties.l.all(x, event.properties.s.contains("aaab") || true)`,
	`event.properties.l.all(x, size(event.properties.s + event.properties.s) > 0)`,
	`event.properties.l.all(x, timestamp("2026-03-01T00:00:00Z").getHours("Europe/Kyiv") >= 0)`,
	`event.properties.l.all(x, x in event.properties.l)`,
	`event.properties.l.all(x, event.properties.l in [event.properties.l, [1.0]])`,
	`event.properties.l.map(a, event.properties.l.map(b, [a, b])).size() > 0`,
	`event.properties.l.filter(a, event.properties.l.exists_one(b, a == b)).size() > 0`,
	`size([event.properties.s]` + strings.Repeat(`.map(x, x + x)`, 28) + `) > 0`,
	`[[event.properties.s].map(x, x + x + x + x)[0]].all(t, event.properties.l.all(x, t.contains("ab") || true))`,
	strings.Repeat(`event.properties == trigger.properties && `, 90) + `true`,
	strings.Repeat(`event.properties.l == trigger.properties.l && `, 80) + `true`,
	`event.properties.s.matches("(.*a.*){1,30}b")`,
}

// longExpressions end before they come to the limit: their length times that of the event
// bounds them.
var longExpressions = []string{
	strings.Repeat(`event.properties.s.matches("^(a|b|ab|aab)*c?$") || `, 70) + `true`,
	strings.Repeat(`event.properties.s.contains("aaaaab") || `, 90) + `true`,
}

// Whatever an event of 32 KiB holds, an expression ends: it comes to the limit of work, or
// is short of it by its own length. The limit counts work and not time; hang is only there
// for an expression that neither ends nor is counted.
func TestExpressionsAreBounded(t *testing.T) {
	lang, err := NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	const hang = time.Minute
	for i, source := range slices.Concat(worstExpressions, longExpressions) {
		e, err := lang.Compile(source, types.BoolType)
		if err != nil {
			t.Errorf("%.80s: %v", source, err)
			continue
		}
		limited, longest := false, time.Duration(0)
		for name, event := range worstEvents() {
			s := NewScope()
			other := *event
			s.Event.Set(event)
			s.Trigger.Set(&other)
			s.Customer.Set(customer.New("w", "ann", 0, 1))
			start := time.Now()
			_, err = e.Holds(s)
			took := time.Since(start)
			limited = limited || errors.Is(err, errTooMuchWork)
			longest = max(longest, took)
			if took > hang {
				t.Errorf("%.80s takes %v for the event %s", source, took, name)
			}
		}
		if want := i < len(worstExpressions); limited != want {
			t.Errorf("%.80s: comes to the limit: %v, want %v", source, limited, want)
		}
		t.Logf("%8v limited %-5v %.90s", longest.Round(10*time.Microsecond), limited, source)
	}
}

// An expression as people write it is far from the limit, also on a large event.
func TestUsualExpressionsAreNotLimited(t *testing.T) {
	lang, err := NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	properties := fmt.Sprintf(`{"email":"ann@example.com","url":"%s","items":[%s{"sku":"z","price":3}]}`,
		"https://example.com/"+strings.Repeat("a", 2000), strings.Repeat(`{"sku":"a","price":1},`, 300))
	for _, source := range []string{
		`event.properties.email.matches("^[a-z0-9._%+-]+@[a-z0-9.-]+[.][a-z]{2,}$")`,
		`event.properties.url.matches("^https://[^/]+/a{1,100}") && event.properties.url.contains("aaa")`,
		`event.properties.items.exists(i, i.sku == "z" && i.price > 2)`,
		`event.properties.items.filter(i, i.price == 1).size() == 300`,
		`event.properties.items.map(i, i.sku).exists(s, s in ["x", "z"])`,
		`event.properties == trigger.properties`,
		`"vip-" + event.properties.email == "vip-ann@example.com"`,
	} {
		e, err := lang.Compile(source, types.BoolType)
		if err != nil {
			t.Fatal(err)
		}
		s := NewScope()
		s.Event.Set(&event.Event{Properties: []byte(properties)})
		s.Trigger.Set(&event.Event{Properties: []byte(properties)})
		if holds, err := e.Holds(s); !holds || err != nil {
			t.Errorf("%s: %v, error %v", source, holds, err)
		}
	}
}

// A pattern is known, and bounded, when a campaign is applied.
func TestPatternsAreConstants(t *testing.T) {
	lang, err := NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	for source, want := range map[string]string{
		`event.properties.s.matches(event.properties.re)`:                 "write contains, startsWith, endsWith or ==",
		`matches(event.properties.s, event.properties.re)`:                "takes a pattern in quotes",
		`event.properties.s.matches("a" + "b")`:                           "takes a pattern in quotes",
		`["a+", "b+"].exists(p, event.properties.s.matches(p))`:           "takes a pattern in quotes",
		`event.properties.s.matches(customer.traits.name)`:                "takes a pattern in quotes",
		`event.properties.s.matches("(a")`:                                "is no pattern",
		`event.properties.s.matches("(a{1000}){1000}")`:                   "is no pattern",
		`event.properties.s.matches("(a{1,30}){1,30}b")`:                  "the pattern is too large",
		`event.properties.s.matches("` + strings.Repeat("a", 1001) + `")`: "at most 1000 are allowed",
	} {
		if _, err := lang.Compile(source, types.BoolType); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: error %v; want %q", source, err, want)
		}
	}
	e, err := lang.Compile(`event.properties.s.matches("^a(.)c$") && matches(event.properties.s, "b")`, types.BoolType)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{`"abc"`: true, `"abd"`: false, `7`: false} {
		s := NewScope()
		s.Event.Set(&event.Event{Properties: []byte(`{"s":` + text + `}`)})
		if got, _ := e.Holds(s); got != want {
			t.Errorf("%s: %v; want %v", text, got, want)
		}
	}
}
