package machine

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/cel-go/common/types"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
)

func testLanguage(t *testing.T) *expr.Language {
	t.Helper()
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	return lang
}

// testMachine is a machine with the campaigns of a YAML text, and its set.
func testMachine(t *testing.T, text string) *Machine {
	t.Helper()
	docs, err := parse.File(testLanguage(t), "test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var programs []*program.Program
	for _, d := range docs {
		d.Campaign.Workspace, d.Campaign.Version = "w", 1
		programs = append(programs, d.Campaign)
	}
	m := New()
	m.Use(active.NewSet(programs, map[string]uint64{}, 1))
	return m
}

// campaignText is a document of one campaign that ends at once.
func campaignText(name, spec string) string {
	return fmt.Sprintf("apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: %s}\nspec: {%s, max_event_age: 3000d, "+
		"steps: [{id: s, exit: {}}]}\n---\n", name, spec)
}

// again is the customer as a restart would find it.
func again(t *testing.T, c *customer.Customer) *customer.Customer {
	t.Helper()
	got, err := customer.Decode(c.AppendTo(nil), event.Names{})
	if err != nil || !reflect.DeepEqual(got.AppendTo(nil), c.AppendTo(nil)) {
		t.Fatalf("a customer does not survive: %v", err)
	}
	return got
}

// entered counts the entries of a campaign in out.
func entered(out *output.Output, campaign string) int {
	n := 0
	for _, d := range out.Decisions {
		if d.Kind == output.Entered && d.Campaign == campaign {
			n++
		}
	}
	return n
}

// Segments and thresholds fire once a crossing, whatever is decoded and encoded
// between, as a model says that keeps its own state.
func TestLevelsAgreeWithASlowModel(t *testing.T) {
	// shows: 39
	m := testMachine(t, campaignText("up", `trigger: {threshold: {value: customer.traits.x, crosses: up, at: 5, hysteresis: 2}}`)+
		campaignText("down", `trigger: {threshold: {value: customer.traits.x, crosses: down, at: 5}}`)+
		campaignText("spent", `trigger: {threshold: {value: 'customer.sum("Buy", "n")', crosses: up, at: 10}}`)+
		campaignText("in", `trigger: {segment: {when: 'customer.traits.x > 6'}}`)+
		campaignText("out", `trigger: {segment: {when: 'customer.traits.x > 6', on: leave}}`)+
		campaignText("often", `trigger: {segment: {when: 'customer.count("Buy", "20ms") >= 2'}}`))
	total := map[string]int{}
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 2))
		c := customer.New("w", "ann", 1, 2)
		over, low, lowKnown, in, sum, often := false, false, false, false, 0, false
		var buys []int64
		for step := range 60 {
			now := int64(step*10 + 10)
			want := map[string]int{}
			e := &event.Event{ID: strconv.Itoa(step), Type: event.Identify, Name: event.IdentifyName, Time: now}
			x := r.IntN(10)
			switch r.IntN(4) {
			case 0:
				e.Traits = []byte(`{"x":null}`)
				if in {
					in = false
					want["out"]++
				}
			case 1:
				e.Type, e.Name, e.Properties = event.Track, "Buy", fmt.Appendf(nil, `{"n":%d}`, x-4)
				if sum < 10 && sum+x-4 >= 10 {
					want["spent"]++
				}
				sum += x - 4
				buys = append(buys, now)
			default:
				e.Traits = fmt.Appendf(nil, `{"x":%d}`, x)
				if !over && x >= 5 {
					over = true
					want["up"]++
				} else if over && x < 3 {
					over = false
				}
				if !low && lowKnown && x <= 5 {
					want["down"]++
				}
				low, lowKnown = x <= 5, true
				if in != (x > 6) {
					in = x > 6
					want[map[bool]string{true: "in", false: "out"}[in]]++
				}
			}
			recent := 0
			for _, at := range buys {
				if at > now-20 {
					recent++
				}
			}
			if !often && recent >= 2 {
				want["often"]++
			}
			often = recent >= 2
			var out output.Output
			m.Apply(c, e, now, step == 0, &out)
			for _, name := range []string{"up", "down", "spent", "in", "out", "often"} {
				if got := entered(&out, name); got != want[name] {
					t.Fatalf("seed %d step %d %s: %d entries; want %d", seed, step, name, got, want[name])
				}
				total[name] += want[name]
			}
			if r.IntN(3) == 0 {
				c = again(t, c)
			}
		}
	}
	for _, name := range []string{"up", "down", "spent", "in", "out", "often"} {
		if total[name] < 100 {
			t.Errorf("%s fired %d times only", name, total[name])
		}
	}
}

// Counters with a window agree with a list of everything, while there are at most
// maxOccurrences.
func TestWindowsAgreeWithASlowModel(t *testing.T) {
	// shows: 106
	m := testMachine(t, campaignText("a", `trigger: {event: {name: Ask}}, audience: 'customer.count("Buy", "1s") > 0 `+
		`&& customer.sum("Buy", "n", "300ms") > 0.0 && customer.first("Buy", "2s") < now && customer.last("Buy", "2s") < now'`))
	lang := testLanguage(t)
	ask := func(text string) *expr.Expr {
		e, err := lang.Compile(text, nil)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	exprs := map[int64][3]*expr.Expr{}
	for _, w := range []int64{1, 50, 300, 1000, 2000} {
		exprs[w] = [3]*expr.Expr{
			ask(fmt.Sprintf(`customer.count("Buy", "%dms")`, w)),
			ask(fmt.Sprintf(`customer.sum("Buy", "n", "%dms")`, w)),
			ask(fmt.Sprintf(`string(customer.first("Buy", "%[1]dms")) + string(customer.last("Buy", "%[1]dms"))`, w)),
		}
	}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 3))
		c := customer.New("w", "ann", 1, 2)
		type buy struct {
			at int64
			n  int
		}
		var all []buy
		now := int64(10_000)
		for step := range 100 {
			now += int64(r.IntN(60))
			b := buy{now - int64(r.IntN(3)*r.IntN(400)), r.IntN(100)}
			all = append(all, b)
			var out output.Output
			m.Apply(c, &event.Event{
				ID: strconv.Itoa(step), Type: event.Track, Name: "Buy", Time: b.at, Properties: fmt.Appendf(nil, `{"n":%d.25}`, b.n),
			}, now, step == 0, &out)
			if r.IntN(5) == 0 {
				c = again(t, c)
			}
			m.begin(c, now, &out)
			for w, e := range exprs {
				count, sum, first, last := 0, 0.0, int64(0), int64(0)
				for _, x := range all {
					if x.at <= now-w {
						continue
					}
					count++
					sum += float64(x.n) + 0.25
					if first == 0 || x.at < first {
						first = x.at
					}
					last = max(last, x.at)
				}
				gotCount, _, _ := e[0].Eval(m.scope)
				gotSum, _, _ := e[1].Eval(m.scope)
				if gotCount.Value() != int64(count) || gotSum.Value() != sum {
					t.Fatalf("seed %d step %d: %v and %v in %d ms; want %d and %g", seed, step, gotCount, gotSum, w, count, sum)
				}
				ends, missing, err := e[2].Eval(m.scope)
				if err != nil || missing != (count == 0) {
					t.Fatalf("seed %d: missing %v, error %v", seed, missing, err)
				}
				want := fmt.Sprint(types.Timestamp{Time: time.UnixMilli(first).UTC()}.ConvertToType(types.StringType).Value(),
					types.Timestamp{Time: time.UnixMilli(last).UTC()}.ConvertToType(types.StringType).Value())
				if !missing && ends.Value() != want {
					t.Fatalf("seed %d: %v; want %s", seed, ends, want)
				}
			}
		}
	}
}

// Who is new was outside of every segment before.
func TestNewCustomerEnters(t *testing.T) {
	m := testMachine(t, campaignText("new", `trigger: {segment: {when: 'customer.count("Buy") < 2'}}`))
	c, got := customer.New("w", "ann", 1, 2), []int{}
	for i := range 3 {
		var out output.Output
		m.Apply(c, &event.Event{ID: strconv.Itoa(i), Type: event.Track, Name: "Buy", Time: 1}, 1, i == 0, &out)
		got = append(got, entered(&out, "new"))
	}
	if !slices.Equal(got, []int{1, 0, 0}) {
		t.Errorf("unexpected entries %v", got)
	}
}
