package ingest

import (
	"fmt"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/event"
)

// objects reads the JSON objects of the call: properties, traits and context. An item of a
// batch without a context has that of the batch.
func (i *item) objects(e *event.Event) *FieldError {
	if wrong := i.properties(e); wrong != nil {
		return wrong
	}
	context := i.v.Get("context")
	if context == nil {
		context = i.context
	}
	traits, wrong := i.v.Get("traits"), (*FieldError)(nil)
	// Traits of other calls are kept with the event and change nobody.
	if e.Type == event.Identify {
		traits, wrong = i.identified(traits, context)
	}
	if wrong == nil {
		e.Traits, wrong = i.object("traits", traits)
	}
	if wrong == nil {
		e.Context, wrong = i.object("context", context)
	}
	return wrong
}

// identified returns the traits of an identify call with those in its context, where
// RudderStack's clients send them; the call's own go before. They are taken out of the call's
// context, so that they count once towards its size.
func (i *item) identified(traits, context *fastjson.Value) (*fastjson.Value, *FieldError) {
	sent := context.Get("traits")
	if sent == nil || sent.Type() == fastjson.TypeNull {
		return traits, nil
	}
	if sent.Type() != fastjson.TypeObject {
		return nil, &FieldError{
			Path: "context.traits", Code: codeType, Message: "must be an object, not " + typeName(sent),
		}
	}
	// The context of a batch belongs to all of its calls, and stays as it is.
	if own := i.v.Get("context"); own != nil {
		own.Del("traits")
	}
	// The traits of the call itself go before those of its context.
	switch {
	case traits == nil || traits.Type() == fastjson.TypeNull:
		return sent, nil
	case traits.Type() == fastjson.TypeObject:
		sent.GetObject().Visit(func(key []byte, v *fastjson.Value) {
			if name := string(key); !traits.Exists(name) {
				traits.Set(name, v)
			}
		})
	}
	return traits, nil
}

// object reads a field that is an object, and returns its JSON in the arena; nil when it is
// absent or null.
func (i *item) object(name string, v *fastjson.Value) ([]byte, *FieldError) {
	if v == nil || v.Type() == fastjson.TypeNull {
		return nil, nil
	}
	if v.Type() != fastjson.TypeObject {
		return nil, &FieldError{Path: name, Code: codeType, Message: "must be an object, not " + typeName(v)}
	}
	return i.d.keep(v), nil
}

// properties reads the properties, and puts among them what the tracking API has beside them,
// where predicates and rows find it: the name and category of a page or screen, the id of a
// group. A property of that name goes before.
func (i *item) properties(e *event.Event) *FieldError {
	v := i.v.Get("properties")
	// Let object say what is wrong.
	if v != nil && v.Type() != fastjson.TypeNull && v.Type() != fastjson.TypeObject {
		_, wrong := i.object("properties", v)
		return wrong
	}
	// The fields that stand beside the properties in a call of this type.
	var beside []string
	switch e.Type {
	case event.Page, event.Screen:
		beside = []string{"category", "name"}
	case event.Group:
		beside = []string{"groupId"}
	case event.Track, event.Identify, event.Alias:
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
		// A client that sends both means its own property.
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
