package campaign

import "github.com/valyala/fastjson"

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
