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

// celJSON is the CEL value of a JSON value, of which work is counted. Numbers are doubles, but integers
// that a double cannot hold exactly stay integers, so that long ids compare.
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

// jsonMap shows a JSON object to CEL. It iterates in the byte order of keys.
type jsonMap struct {
	o    *fastjson.Object
	work *meter
}

var _ traits.Mapper = jsonMap{}

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

func (m jsonMap) Get(key ref.Val) ref.Val { return getOrMissing(m, key) }

func (m jsonMap) Contains(key ref.Val) ref.Val {
	_, ok := m.Find(key)
	return types.Bool(ok)
}

func (m jsonMap) Size() ref.Val {
	if m.o == nil {
		return types.Int(0)
	}
	return types.Int(len(m.keys()))
}

func (m jsonMap) Iterator() traits.Iterator {
	if m.o == nil {
		return types.NewStringList(types.DefaultTypeAdapter, nil).Iterator()
	}
	return types.NewStringList(types.DefaultTypeAdapter, m.keys()).Iterator()
}

// keys are those of the object in their order.
func (m jsonMap) keys() []string {
	if !m.work.spend(2 * m.o.Len()) {
		return nil
	}
	return jsonvalue.SortedKeys(m.o)
}

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

func (m jsonMap) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("a JSON object does not convert to %v", t)
}

func (m jsonMap) ConvertToType(t ref.Type) ref.Val {
	if t == types.TypeType {
		return types.MapType
	}
	return types.NewErr("a JSON object does not convert to %s", t.TypeName())
}

func (m jsonMap) Type() ref.Type { return types.MapType }
func (m jsonMap) Value() any     { return m.o }

// record is the CEL value of one of the language's own objects. Its fields are
// looked up by find; which exist is checked when an expression is compiled.
type record struct {
	name string // the CEL type name
	find func(field string) (ref.Val, bool)
}

func (r *record) Find(key ref.Val) (ref.Val, bool) {
	k, ok := key.(types.String)
	if !ok {
		return nil, false
	}
	return r.find(string(k))
}

func (r *record) Get(key ref.Val) ref.Val { return getOrMissing(r, key) }

func (r *record) IsSet(field ref.Val) ref.Val {
	_, ok := r.Find(field)
	return types.Bool(ok)
}

func (r *record) Equal(other ref.Val) ref.Val { return types.Bool(other == ref.Val(r)) }

func (r *record) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("%s does not convert to %v", r.name, t)
}

func (r *record) ConvertToType(t ref.Type) ref.Val {
	return types.NewErr("%s does not convert to %s", r.name, t.TypeName())
}

func (r *record) Type() ref.Type { return types.NewObjectType(r.name) }
func (r *record) Value() any     { return r }

func getOrMissing(m interface {
	Find(key ref.Val) (ref.Val, bool)
}, key ref.Val,
) ref.Val {
	if v, ok := m.Find(key); ok {
		return v
	}
	return types.NewErr("no such key: %v", key.Value())
}

// CELTime is the CEL value of an instant.
func CELTime(ms int64) ref.Val { return types.Timestamp{Time: time.UnixMilli(ms).UTC()} }
