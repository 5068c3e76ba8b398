package expr

import (
	"fmt"
	"reflect"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/jsonvalue"
)

// celJSON returns a JSON value as CEL sees it; looking into it is charged to work. Numbers are doubles, but
// integers that a double cannot hold exactly stay integers, so that long ids compare. Arrays become
// lists at once, since CEL needs their length; objects stay as they are until a member is asked
// for. Counting the elements bounds what a huge array costs: beyond the limit of work it shows as
// empty, and the evaluation fails.
func celJSON(v *fastjson.Value, work *meter) ref.Val {
	switch v.Type() {
	case fastjson.TypeString:
		return types.String(v.GetStringBytes())
	case fastjson.TypeNumber:
		if n, whole := wideInt(v); whole {
			return types.Int(n)
		}
		return types.Double(v.GetFloat64())
	case fastjson.TypeTrue:
		return types.True
	case fastjson.TypeFalse:
		return types.False
	case fastjson.TypeArray:
		items := v.GetArray()
		if !work.spend(len(items)) {
			items = nil
		}
		list := make([]ref.Val, len(items))
		for i, e := range items {
			list[i] = celJSON(e, work)
		}
		return types.NewRefValList(types.DefaultTypeAdapter, list)
	case fastjson.TypeObject:
		return jsonMap{o: v.GetObject(), work: work}
	default:
		return types.NullValue
	}
}

// jsonMap shows a JSON object to CEL as a map. It iterates in the byte order of keys, so that two
// replays see the same order whatever the order of the sender. A nil object is an empty map.
type jsonMap struct {
	// The object is read in place, so a view is valid as long as the event or customer it was
	// parsed from.
	o *fastjson.Object
	// Members that are looked at are charged here; nil counts nothing.
	work *meter
}

var _ traits.Mapper = jsonMap{}

// Find returns the member of a key. fastjson compares the keys one by one; 32 of them count as one
// unit of work.
func (m jsonMap) Find(key ref.Val) (ref.Val, bool) {
	k, ok := key.(types.String)
	if !ok || m.o == nil || !m.work.spend(m.o.Len()/32) {
		return nil, false
	}
	v := m.o.Get(string(k))
	if v == nil {
		return nil, false
	}
	return celJSON(v, m.work), true
}

// Get returns the member of a key, or the error "no such key" by which Eval recognises a missing
// value.
func (m jsonMap) Get(key ref.Val) ref.Val { return getOrMissing(m, key) }

// Contains answers "key in object".
func (m jsonMap) Contains(key ref.Val) ref.Val {
	_, ok := m.Find(key)
	return types.Bool(ok)
}

// Size returns the number of members, of those with the same name one.
func (m jsonMap) Size() ref.Val {
	if m.o == nil {
		return types.Int(0)
	}
	return types.Int(len(m.keys()))
}

// Iterator yields the keys, sorted.
func (m jsonMap) Iterator() traits.Iterator {
	if m.o == nil {
		return types.NewStringList(types.DefaultTypeAdapter, nil).Iterator()
	}
	return types.NewStringList(types.DefaultTypeAdapter, m.keys()).Iterator()
}

// keys returns the names of the members, sorted and each once; nil when the work is used up.
func (m jsonMap) keys() []string {
	if !m.work.spend(2 * m.o.Len()) {
		return nil
	}
	return jsonvalue.SortedKeys(m.o)
}

// Equal compares with any map: another JSON object, or a map that the expression wrote, such as
// {"a": 1}.
func (m jsonMap) Equal(other ref.Val) ref.Val {
	if same, ok := other.(jsonMap); ok {
		return types.Bool(m.equal(same))
	}
	o, ok := other.(traits.Mapper)
	if !ok {
		return types.False
	}
	if o.Size() != m.Size() {
		return types.False
	}
	for it := m.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		mine, _ := m.Find(key)
		theirs, found := o.Find(key)
		if !found || types.Equal(mine, theirs) != types.True {
			return types.False
		}
	}
	return types.True
}

// equal compares two objects. Of a name that comes twice the first member counts.
func (m jsonMap) equal(other jsonMap) bool {
	mine, theirs := m.members(), other.members()
	if len(mine) != len(theirs) {
		return false
	}
	for key, v := range mine { //nudge:unordered all have to be equal
		is, found := theirs[key]
		if !found || types.Equal(celJSON(v, m.work), celJSON(is, m.work)) != types.True {
			return false
		}
	}
	return true
}

// members returns the members by name, nil when there are none or the work is used up. One pass
// over the object makes comparing linear; looking up each key would be quadratic.
func (m jsonMap) members() map[string]*fastjson.Value {
	if m.o == nil || !m.work.spend(2*m.o.Len()) {
		return nil
	}
	all := make(map[string]*fastjson.Value, m.o.Len())
	m.o.Visit(func(k []byte, v *fastjson.Value) {
		if _, twice := all[string(k)]; !twice {
			all[string(k)] = v
		}
	})
	return all
}

// ConvertToNative implements ref.Val. No expression of the language needs the conversion.
func (m jsonMap) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("a JSON object does not convert to %v", t)
}

// ConvertToType implements ref.Val: only type(x) is answered.
func (m jsonMap) ConvertToType(t ref.Type) ref.Val {
	if t == types.TypeType {
		return types.MapType
	}
	return types.NewErr("a JSON object does not convert to %s", t.TypeName())
}

// Type and Value implement ref.Val.
func (m jsonMap) Type() ref.Type { return types.MapType }
func (m jsonMap) Value() any     { return m.o }

// record is the CEL value of one of the language's own objects, such as customer. Its fields are
// looked up by find; which exist is checked when an expression is compiled.
type record struct {
	name string // the CEL type name
	// find returns false for a field without a value, which makes the expression "missing".
	find func(field string) (ref.Val, bool)
}

// Find returns a field, as Get does, without an error for one that is missing.
func (r *record) Find(key ref.Val) (ref.Val, bool) {
	k, ok := key.(types.String)
	if !ok {
		return nil, false
	}
	return r.find(string(k))
}

// Get returns a field, or the error "no such key" by which Eval recognises a missing value.
func (r *record) Get(key ref.Val) ref.Val { return getOrMissing(r, key) }

// IsSet answers has(customer.timezone) and the like.
func (r *record) IsSet(field ref.Val) ref.Val {
	_, ok := r.Find(field)
	return types.Bool(ok)
}

// Equal holds for the same object only; the compiler allows comparing events, but nothing needs it.
func (r *record) Equal(other ref.Val) ref.Val { return types.Bool(other == ref.Val(r)) }

// ConvertToNative implements ref.Val; no expression of the language needs the conversion.
func (r *record) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("%s does not convert to %v", r.name, t)
}

// ConvertToType implements ref.Val; no expression of the language needs the conversion.
func (r *record) ConvertToType(t ref.Type) ref.Val {
	return types.NewErr("%s does not convert to %s", r.name, t.TypeName())
}

// Type and Value implement ref.Val.
func (r *record) Type() ref.Type { return types.NewObjectType(r.name) }
func (r *record) Value() any     { return r }

// getOrMissing returns what m has under a key, or the error whose text Eval recognises as a missing
// value.
func getOrMissing(m interface {
	Find(key ref.Val) (ref.Val, bool)
}, key ref.Val,
) ref.Val {
	if v, ok := m.Find(key); ok {
		return v
	}
	return types.NewErr("no such key: %v", key.Value())
}

// CELTime returns the CEL timestamp of an instant in Unix milliseconds. It is in UTC, so that
// event.time.getHours() does not depend on the zone of the machine.
func CELTime(ms int64) ref.Val { return types.Timestamp{Time: time.UnixMilli(ms).UTC()} }
