package ingest

import (
	"fmt"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign"
)

// objects keeps the JSON objects of the call.
func (i *item) objects(e *campaign.Event) *FieldError {
	wrong := i.properties(e)
	if wrong == nil {
		e.Traits, wrong = i.object("traits", i.v.Get("traits"))
	}
	if wrong != nil {
		return wrong
	}
	context := i.v.Get("context")
	if context == nil {
		context = i.context
	}
	e.Context, wrong = i.object("context", context)
	return wrong
}

// object keeps an object; nil when it is absent or null.
func (i *item) object(name string, v *fastjson.Value) ([]byte, *FieldError) {
	if v == nil || v.Type() == fastjson.TypeNull {
		return nil, nil
	}
	if v.Type() != fastjson.TypeObject {
		return nil, &FieldError{Path: name, Code: codeType, Message: "must be an object, not " + typeName(v)}
	}
	return i.d.keep(v), nil
}

// properties keeps the properties, and among them what the tracking API has beside them: the
// name and category of a page or screen, the id of a group. There predicates and rows find
// them. A property of that name goes before.
func (i *item) properties(e *campaign.Event) *FieldError {
	v := i.v.Get("properties")
	if v != nil && v.Type() != fastjson.TypeNull && v.Type() != fastjson.TypeObject {
		_, wrong := i.object("properties", v)
		return wrong
	}
	var beside []string
	switch e.Type {
	case campaign.Page, campaign.Screen:
		beside = []string{"category", "name"}
	case campaign.Group:
		beside = []string{"groupId"}
	case campaign.Track, campaign.Identify, campaign.Alias:
	}
	var a fastjson.Arena
	for _, name := range beside {
		text, wrong := i.id(name)
		if wrong != nil {
			return wrong
		}
		if text == "" {
			continue
		}
		if v == nil || v.Type() == fastjson.TypeNull {
			v = a.NewObject()
		}
		if !v.Exists(name) {
			v.Set(name, a.NewString(text))
		}
	}
	kept, wrong := i.object("properties", v)
	if wrong != nil {
		return wrong
	}
	e.Properties = kept
	return nil
}

// tooLargeItem refuses an event over MaxEvent.
func tooLargeItem(size int) *FieldError {
	return &FieldError{
		Path: "item", Code: codeTooLarge,
		Message: fmt.Sprintf("%d bytes; at most %d are allowed in an event", size, MaxEvent),
	}
}
