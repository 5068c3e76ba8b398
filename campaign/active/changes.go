package active

import (
	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/program"
)

// changeIndex finds change triggers by the attribute that changed, and by its new value where
// they ask for one. Members are indexes into the programs of a TriggerIndex.
type changeIndex struct {
	// any are the triggers on any attribute.
	any []int32
	// name has the others, by the first name of their path.
	name map[string]*changeNames
}

// changeNames are the change triggers of an attribute, or of a part of it.
type changeNames struct {
	// any are those that accept any new value, or watch a part below the attribute.
	any []int32
	// to are those that ask for a new value, by that value.
	to map[expr.EqualTo][]int32
}

// add indexes the trigger t of a member by the first name of its path. Only a path of one name
// is found by its new value too: of a longer path the value lies deeper than the attribute
// compared.
func (x *changeIndex) add(member int, t *program.ChangeTrigger) {
	if len(t.Path) == 0 {
		x.any = append(x.any, int32(member))
		return
	}
	if x.name == nil {
		x.name = map[string]*changeNames{}
	}
	at := x.name[t.Path[0]]
	if at == nil {
		at = &changeNames{to: map[expr.EqualTo][]int32{}}
		x.name[t.Path[0]] = at
	}
	if len(t.Path) == 1 && t.To != nil {
		if v, err := fastjson.Parse(t.To.JSON); err == nil {
			key := expr.EqualToJSON(v)
			at.to[key] = append(at.to[key], int32(member))
			return
		}
	}
	at.any = append(at.any, int32(member))
}

// find appends the triggers whose attribute differs between seen, the traits (JSON) at which
// triggers last looked, and the traits now. A member can be found more than once.
func (x *changeIndex) find(s *expr.Scope, traits, seen []byte, found []int32) []int32 {
	if len(x.any) == 0 && len(x.name) == 0 || string(seen) == string(traits) {
		return found
	}
	found = append(found, x.any...)
	if len(x.name) == 0 {
		return found
	}
	var old jsonvalue.Lazy
	old.Reset(seen)
	before, after := old.Object(), s.Customer.Traits.Object()
	visit := func(key []byte, _ *fastjson.Value) {
		at := x.name[string(key)]
		if at == nil {
			return
		}
		was, is := jsonvalue.Member(before, string(key)), jsonvalue.Member(after, string(key))
		if was == nil && is == nil || jsonvalue.Equal(was, is) {
			return
		}
		found = append(append(found, at.any...), at.to[expr.EqualToJSON(is)]...)
	}
	// Both are visited, so that attributes that were removed are found and those that were
	// added.
	if before != nil {
		before.Visit(visit)
	}
	if after != nil {
		after.Visit(visit)
	}
	return found
}
