package campaign

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/valyala/fastjson"
)

func compareNames(a, b string) int { return strings.Compare(a, b) }

func literals(v ...ref.Val) []ref.Val { return v }

// height is the value that thresholds measure, before a record.
type height struct {
	levels *levels
	value  float64
	known  bool
	failed bool // could not be computed, for another reason than a missing value
	odd    bool // is there and is no number, which is recorded once
}

// measure computes the present value of thresholds.
func (m *Machine) measure(l *levels) height {
	v, missing, err := l.value.eval(m.scope)
	if err != nil || missing {
		return height{levels: l, failed: err != nil}
	}
	value, known := asNumber(v)
	return height{levels: l, value: value, known: known, odd: !known}
}

// asNumber is the value of a threshold: a number, or a text that is one.
func asNumber(v ref.Val) (value float64, ok bool) {
	switch n := v.(type) {
	case types.Double:
		return decimal(float64(n)), true
	case types.Int:
		return float64(n), true
	case types.String:
		m, ok := parseAmount(string(n))
		return m.Float(), ok
	}
	return 0, false
}

// decimal takes from a number what binary arithmetic added to it, so that 1 - 0.9 is 0.1:
// fifteen digits count. Whole numbers stay as they are.
func decimal(v float64) float64 {
	if v == math.Trunc(v) || math.IsInf(v, 0) || math.IsNaN(v) {
		return v
	}
	d, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 15, 64), 64)
	if err != nil {
		return v
	}
	return d
}

// heightOf is what was measured of a value before the record; unknown when it was
// missing.
func (m *Machine) heightOf(value *Expr) height {
	for i := range m.heights {
		if m.heights[i].levels.value.Source == value.Source {
			return m.heights[i]
		}
	}
	return height{}
}

// crossed appends the thresholds that the value may have crossed.
func (w *watchers) crossed(m *Machine, found []int32) []int32 {
	m.inLevels = w.byLevel.find(m.scope, m.inLevels[:0])
	for i := range m.heights { // also what is missing now
		m.inLevels = append(m.inLevels, int32(slices.Index(w.levels, m.heights[i].levels)))
	}
	slices.Sort(m.inLevels)
	for _, i := range slices.Compact(m.inLevels) {
		l := w.levels[i]
		before, after := m.heightOf(l.value), m.measure(l)
		switch {
		case before.failed || after.failed || after.odd || before.known != after.known,
			math.IsNaN(before.value) || math.IsNaN(after.value):
			found = append(found, l.members...)
		case before.known:
			low, high := min(before.value, after.value), max(before.value, after.value)
			found = append(found, l.between(low, high)...)
		default: // missing then and now; what is remembered is found by its level
		}
	}
	return found
}

// changeIndex finds change triggers by the attribute that changed, and by its new value
// where they ask for one.
type changeIndex struct {
	any  []int32 // that look at all attributes
	name map[string]*changeNames
}

// changeNames are the change triggers of an attribute, or of a part of it.
type changeNames struct {
	any []int32
	to  map[equalTo][]int32
}

func (x *changeIndex) add(member int, t *ChangeTrigger) {
	if len(t.Path) == 0 {
		x.any = append(x.any, int32(member))
		return
	}
	if x.name == nil {
		x.name = map[string]*changeNames{}
	}
	at := x.name[t.Path[0]]
	if at == nil {
		at = &changeNames{to: map[equalTo][]int32{}}
		x.name[t.Path[0]] = at
	}
	if len(t.Path) == 1 && t.To != nil {
		if v, err := fastjson.Parse(t.To.JSON); err == nil {
			key := equalToJSON(v)
			at.to[key] = append(at.to[key], int32(member))
			return
		}
	}
	at.any = append(at.any, int32(member))
}

// equalToJSON is the same for values that a change trigger takes for equal; those that
// are no scalars, and none, count as null.
func equalToJSON(v *fastjson.Value) equalTo {
	if v == nil {
		return equalTo{kind: "null"}
	}
	switch v.Type() {
	case fastjson.TypeString:
		return equalTo{kind: "text", text: string(v.GetStringBytes())}
	case fastjson.TypeNumber:
		return equalTo{kind: "number", number: v.GetFloat64()}
	case fastjson.TypeTrue:
		return equalTo{kind: "true"}
	case fastjson.TypeFalse:
		return equalTo{kind: "false"}
	default:
		return equalTo{kind: "null"}
	}
}

// find appends the triggers of the attributes that are others than when triggers last
// looked.
func (x *changeIndex) find(m *Machine, found []int32) []int32 {
	if len(x.any) == 0 && len(x.name) == 0 || string(m.seenTraits) == string(m.c.Traits) {
		return found
	}
	found = append(found, x.any...)
	if len(x.name) == 0 {
		return found
	}
	var old lazyJSON
	old.reset(m.seenTraits)
	before, after := old.object(), m.scope.customer.traits.object()
	visit := func(key []byte, _ *fastjson.Value) {
		at := x.name[string(key)]
		if at == nil {
			return
		}
		was, is := memberOf(before, string(key)), memberOf(after, string(key))
		if was == nil && is == nil || equalJSON(was, is) {
			return
		}
		found = append(append(found, at.any...), at.to[equalToJSON(is)]...)
	}
	if before != nil {
		before.Visit(visit)
	}
	if after != nil {
		after.Visit(visit)
	}
	return found
}

func memberOf(o *fastjson.Object, name string) *fastjson.Value {
	if o == nil {
		return nil
	}
	return o.Get(name)
}
