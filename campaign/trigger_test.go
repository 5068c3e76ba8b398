package campaign

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"github.com/google/cel-go/common/types"
)

func testLanguage(t *testing.T) *Language {
	t.Helper()
	lang, err := NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	return lang
}

// testMachine is a machine with the campaigns of a YAML text, and its set.
func testMachine(t *testing.T, text string) *Machine {
	t.Helper()
	docs, err := Parse(testLanguage(t), "test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var programs []*Program
	for _, d := range docs {
		d.Campaign.Workspace, d.Campaign.Version = "w", 1
		programs = append(programs, d.Campaign)
	}
	m := NewMachine()
	m.Use(NewSet(programs, map[string]uint64{}, 1))
	return m
}

// program is a document of one campaign that ends at once.
func program(name, spec string) string {
	return fmt.Sprintf("apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: %s}\nspec: {%s, max_event_age: 3000d, "+
		"steps: [{id: s, exit: {}}]}\n---\n", name, spec)
}

// again is the customer as a restart would find it.
func again(t *testing.T, c *Customer) *Customer {
	t.Helper()
	got, err := DecodeCustomer(c.AppendTo(nil), Names{})
	if err != nil || !reflect.DeepEqual(got.AppendTo(nil), c.AppendTo(nil)) {
		t.Fatalf("a customer does not survive: %v", err)
	}
	return got
}

// entered counts the entries of a campaign in out.
func entered(out *Output, campaign string) int {
	n := 0
	for _, d := range out.Decisions {
		if d.Kind == Entered && d.Campaign == campaign {
			n++
		}
	}
	return n
}

// slowStreak looks at all events since the last streak, each time anew.
type slowStreak struct {
	all   []Mark
	after int64
}

func (s *slowStreak) mark(m Mark, length int, gap int64) bool {
	if m.Time < s.after {
		return false
	}
	s.all = append(s.all, m)
	slices.SortStableFunc(s.all, func(a, b Mark) int { return int(a.Time - b.Time) })
	for end := length - 1; end < len(s.all); end++ {
		run := s.all[end-length+1 : end+1]
		whole := true
		for i, x := range run {
			whole = whole && !x.Break && (i == 0 || x.Time-run[i-1].Time <= gap)
		}
		if whole {
			s.after = s.all[end].Time
			s.all = slices.Clone(s.all[end+1:])
			return true
		}
	}
	return false
}

func TestStreakAgreesWithASlowModel(t *testing.T) {
	// shows: 5
	fired := 0
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		length, gap := 2+r.IntN(4), int64(1+r.IntN(5))
		slow := slowStreak{}
		c := NewCustomer("w", "ann", 0, 1)
		c.Streaks = []Streak{{Campaign: "three", Spec: 7}}
		for step := range 2*length + streakSlack {
			m := Mark{Time: int64(1 + r.IntN(40)), Break: r.IntN(6) == 0}
			want := slow.mark(m, length, gap)
			if got := c.Streaks[0].mark(m, length, gap); got != want {
				t.Fatalf("seed %d step %d: %v; want %v", seed, step, got, want)
			}
			if want {
				fired++
			}
			if r.IntN(4) == 0 {
				c = again(t, c)
			}
		}
	}
	if fired < 1000 {
		t.Errorf("only %d streaks", fired)
	}
}

func TestStreakIsBounded(t *testing.T) {
	s := Streak{}
	for i := range int64(10_000) {
		if s.mark(Mark{Time: i * 100}, 3, 50) || len(s.Marks) > 2*3+streakSlack {
			t.Fatalf("at %d: %d marks", i, len(s.Marks))
		}
	}
	if s.mark(Mark{Time: 5}, 3, 50) {
		t.Error("an event from before what is kept counted")
	}
}

// Segments and thresholds fire once a crossing, whatever is decoded and encoded
// between, as a model says that keeps its own state.
func TestLevelsAgreeWithASlowModel(t *testing.T) {
	// shows: 39
	m := testMachine(t, program("up", `trigger: {threshold: {value: customer.traits.x, crosses: up, at: 5, hysteresis: 2}}`)+
		program("down", `trigger: {threshold: {value: customer.traits.x, crosses: down, at: 5}}`)+
		program("spent", `trigger: {threshold: {value: 'customer.sum("Buy", "n")', crosses: up, at: 10}}`)+
		program("in", `trigger: {segment: {when: 'customer.traits.x > 6'}}`)+
		program("out", `trigger: {segment: {when: 'customer.traits.x > 6', on: leave}}`)+
		program("often", `trigger: {segment: {when: 'customer.count("Buy", "20ms") >= 2'}}`))
	total := map[string]int{}
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 2))
		c := NewCustomer("w", "ann", 1, 2)
		over, low, lowKnown, in, sum, often := false, false, false, false, 0, false
		var buys []int64
		for step := range 60 {
			now := int64(step*10 + 10)
			want := map[string]int{}
			e := &Event{ID: strconv.Itoa(step), Type: Identify, Name: identifyName, Time: now}
			x := r.IntN(10)
			switch r.IntN(4) {
			case 0:
				e.Traits = []byte(`{"x":null}`)
				if in {
					in = false
					want["out"]++
				}
			case 1:
				e.Type, e.Name, e.Properties = Track, "Buy", fmt.Appendf(nil, `{"n":%d}`, x-4)
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
			var out Output
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
	m := testMachine(t, program("a", `trigger: {event: {name: Ask}}, audience: 'customer.count("Buy", "1s") > 0 `+
		`&& customer.sum("Buy", "n", "300ms") > 0.0 && customer.first("Buy", "2s") < now && customer.last("Buy", "2s") < now'`))
	lang := testLanguage(t)
	ask := func(text string) *Expr {
		e, err := lang.compileExpr(text, nil)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	exprs := map[int64][3]*Expr{}
	for _, w := range []int64{1, 50, 300, 1000, 2000} {
		exprs[w] = [3]*Expr{
			ask(fmt.Sprintf(`customer.count("Buy", "%dms")`, w)),
			ask(fmt.Sprintf(`customer.sum("Buy", "n", "%dms")`, w)),
			ask(fmt.Sprintf(`string(customer.first("Buy", "%[1]dms")) + string(customer.last("Buy", "%[1]dms"))`, w)),
		}
	}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 3))
		c := NewCustomer("w", "ann", 1, 2)
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
			var out Output
			m.Apply(c, &Event{
				ID: strconv.Itoa(step), Type: Track, Name: "Buy", Time: b.at, Properties: fmt.Appendf(nil, `{"n":%d.25}`, b.n),
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
				gotCount, _, _ := e[0].eval(m.scope)
				gotSum, _, _ := e[1].eval(m.scope)
				if gotCount.Value() != int64(count) || gotSum.Value() != sum {
					t.Fatalf("seed %d step %d: %v and %v in %d ms; want %d and %g", seed, step, gotCount, gotSum, w, count, sum)
				}
				ends, missing, err := e[2].eval(m.scope)
				if err != nil || missing != (count == 0) {
					t.Fatalf("seed %d: missing %v, error %v", seed, missing, err)
				}
				want := fmt.Sprint(celTime(first).ConvertToType(types.StringType).Value(),
					celTime(last).ConvertToType(types.StringType).Value())
				if !missing && ends.Value() != want {
					t.Fatalf("seed %d: %v; want %s", seed, ends, want)
				}
			}
		}
	}
}

// Beyond maxOccurrences a counter counts by the minute: it says so, stays bounded, and
// is off by what fits into one slot at most.
func TestWindowByTheMinute(t *testing.T) {
	// shows: 106
	w := Window{}
	day := int64(dayMillis)
	for i := range int64(100_000) {
		w.add(i*1000, []Sum{{Property: "n", Total: 1}}, i*1000-30*day)
		if len(w.Items) > maxOccurrences {
			t.Fatalf("%d items", len(w.Items))
		}
		if w.Approximate() != (i >= maxOccurrences) {
			t.Fatalf("%d occurrences: approximate %v", i+1, w.Approximate())
		}
	}
	if w.Width != firstWidth {
		t.Errorf("slots of %d ms", w.Width)
	}
	count := uint64(0)
	for _, o := range w.within(99_999_000, day/2) {
		count += o.Count
		if len(o.Sums) != 1 || o.Sums[0].Total != Money(o.Count) {
			t.Fatalf("a slot of %d has the sums %v", o.Count, o.Sums)
		}
	}
	if want := uint64(day / 2 / 1000); count > want || count+60 < want {
		t.Errorf("%d in half a day; want about %d", count, want)
	}
	again(t, &Customer{Workspace: "w", ID: "a", Windows: []Window{w}})
}

// One occurrence a minute fills the slots of a minute too: they double.
func TestWindowSlotsDouble(t *testing.T) {
	w := Window{}
	for i := range int64(maxOccurrences + 1) {
		w.add(i*firstWidth, nil, -1)
	}
	if w.Width != 2*firstWidth || len(w.Items) != maxOccurrences/2+1 {
		t.Errorf("%d slots of %d ms", len(w.Items), w.Width)
	}
}

// Who is new was outside of every segment before.
func TestNewCustomerEnters(t *testing.T) {
	m := testMachine(t, program("new", `trigger: {segment: {when: 'customer.count("Buy") < 2'}}`))
	c, got := NewCustomer("w", "ann", 1, 2), []int{}
	for i := range 3 {
		var out Output
		m.Apply(c, &Event{ID: strconv.Itoa(i), Type: Track, Name: "Buy", Time: 1}, 1, i == 0, &out)
		got = append(got, entered(&out, "new"))
	}
	if !slices.Equal(got, []int{1, 0, 0}) {
		t.Errorf("unexpected entries %v", got)
	}
}

func TestTags(t *testing.T) {
	c := NewCustomer("w", "ann", 0, 1)
	if !c.Tag("b") || !c.Tag("a") || !c.Tag("b") || c.Tag("") || !slices.Equal(c.Tags, []string{"a", "b"}) {
		t.Errorf("unexpected tags %v", c.Tags)
	}
	before := c.Tags
	if !c.Tagged("a") || !c.Untag("a") || c.Untag("a") || c.Tagged("a") || !slices.Equal(before, []string{"a", "b"}) {
		t.Errorf("unexpected tags %v, before %v", c.Tags, before)
	}
	for i := range maxTags + 5 {
		c.Tag(strconv.Itoa(i))
	}
	if len(c.Tags) != maxTags {
		t.Errorf("%d tags", len(c.Tags))
	}
}

// Each section survives alone and with the others.
func TestTriggerSections(t *testing.T) {
	full := Customer{
		Streaks: []Streak{{Campaign: "a", Spec: 1, After: -5, Marks: []Mark{{Time: 7}, {Time: 9, Break: true}}}},
		Levels:  []Level{{Campaign: "b", Spec: 2, On: true}},
		Windows: []Window{{Event: "E", Width: 60_000, Items: []Occurrence{
			{Time: 60_000, Count: 3, Sums: []Sum{{Property: "n", Total: -4}}},
		}}},
		Tags: []string{"vip"},
	}
	for name, change := range map[string]func(*Customer){
		"streaks": func(c *Customer) { c.Streaks = full.Streaks },
		"levels":  func(c *Customer) { c.Levels = full.Levels },
		"windows": func(c *Customer) { c.Windows = full.Windows },
		"tags":    func(c *Customer) { c.Tags = full.Tags },
		"all": func(c *Customer) {
			c.Streaks, c.Levels, c.Windows, c.Tags = full.Streaks, full.Levels, full.Windows, full.Tags
		},
	} {
		c := fullCustomer()
		change(c)
		b := c.AppendTo(nil)
		got, err := DecodeCustomer(b, Names{})
		if err != nil || !reflect.DeepEqual(got, c) || b[0] != 2 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
