package campaign

import (
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/zone"
)

// The CEL names of the language's own object types.
const (
	typeEvent    = "nudge.Event"
	typeCustomer = "nudge.Customer"
	typeChain    = "nudge.Chain"
)

// scope is what an expression sees. It is filled anew for each record and reused.
type scope struct {
	work     meter // of the evaluation under way
	event    eventView
	trigger  eventView
	customer customerView
	chain    chainView
	now      int64
}

func newScope() *scope {
	s := new(scope)
	s.event.work, s.trigger.work, s.chain.work = &s.work, &s.work, &s.work
	s.event.record = record{name: typeEvent, find: s.event.field}
	s.trigger.record = record{name: typeEvent, find: s.trigger.field}
	s.customer.scope = s
	s.customer.record = record{name: typeCustomer, find: s.customer.field}
	s.chain.record = record{name: typeChain, find: s.chain.field}
	return s
}

// ResolveName gives the variables of the language to the CEL interpreter.
func (s *scope) ResolveName(name string) (any, bool) {
	switch name {
	case "event":
		return ref.Val(&s.event.record), s.event.e != nil
	case "trigger":
		return ref.Val(&s.trigger.record), s.trigger.e != nil
	case "customer":
		return ref.Val(&s.customer), true
	case "chain":
		return ref.Val(&s.chain.record), s.chain.c != nil
	case "now":
		return celTime(s.now), true
	case meterName:
		return &s.work, true
	}
	return nil, false
}

// Parent is nil: there is one scope.
func (s *scope) Parent() cel.Activation { return nil }

// eventView shows an event to CEL, its JSON parsed on first use.
type eventView struct {
	record
	e       *Event
	work    *meter
	props   lazyJSON
	context lazyJSON
}

func (v *eventView) set(e *Event) {
	if v.e == e {
		return
	}
	v.e = e
	if e == nil {
		v.props.reset(nil)
		v.context.reset(nil)
		return
	}
	v.props.reset(e.Properties)
	v.context.reset(e.Context)
}

func (v *eventView) field(name string) (ref.Val, bool) {
	switch name {
	case "id":
		return types.String(v.e.ID), true
	case "name":
		return types.String(v.e.Name), true
	case "time":
		return celTime(v.e.Time), true
	case "properties":
		return jsonMap{o: v.props.object(), work: v.work}, true
	case "context":
		return jsonMap{o: v.context.object(), work: v.work}, true
	}
	return nil, false
}

// customerView shows a customer to CEL; the counter functions take it as receiver.
type customerView struct {
	record
	c      *Customer
	scope  *scope // for the instant that windows end at
	traits lazyJSON
}

func (v *customerView) set(c *Customer) {
	v.c = c
	v.traits.reset(c.Traits)
}

func (v *customerView) field(name string) (ref.Val, bool) {
	switch name {
	case "id":
		return types.String(v.c.ID), true
	case "traits":
		return jsonMap{o: v.traits.object(), work: &v.scope.work}, true
	case "created_at":
		return celTime(v.c.CreatedAt), true
	case "tags":
		return types.NewStringList(types.DefaultTypeAdapter, v.c.Tags), true
	case "timezone":
		if name := v.zone(); name != "" {
			return types.String(name), true
		}
	case "consent":
		return consentView(v.c, AboutCategory), true
	case "preferences":
		return consentView(v.c, AboutChannel), true
	}
	return nil, false
}

// zone names the customer's time zone: that of the trait, else of their device; empty when
// there is none. What is no zone counts as missing, as it does where the zone is used.
func (v *customerView) zone() string {
	if trait := v.traits.get(traitZone); trait != nil && trait.Type() == fastjson.TypeString {
		if name, ok := zone.Name(string(trait.GetStringBytes())); ok {
			return name
		}
	}
	name, _ := zone.Name(v.c.device.name)
	return name
}

// chainView shows a chain to CEL.
type chainView struct {
	record
	c    *Chain
	work *meter
}

func (v *chainView) field(name string) (ref.Val, bool) {
	switch name {
	case "key":
		return types.String(v.c.Key), true
	case "entered_at":
		return celTime(v.c.EnteredAt), true
	case "step":
		return types.String(v.c.Step), true
	case "reply":
		if len(v.c.reply) > 0 {
			var l lazyJSON
			l.reset(v.c.reply)
			return jsonMap{o: l.object(), work: v.work}, true
		}
	case "variants":
		var l lazyJSON
		l.reset(VariantsJSON(v.c.Variants))
		return jsonMap{o: l.object()}, true
	}
	return nil, false
}

// fieldTypes are the fields of the object types, for the type checker.
//
//nudge:constant read only
var fieldTypes = map[string]map[string]*types.Type{
	typeEvent: {
		"id": types.StringType, "name": types.StringType, "time": types.TimestampType,
		"properties": types.NewMapType(types.StringType, types.DynType),
		"context":    types.NewMapType(types.StringType, types.DynType),
	},
	typeCustomer: {
		"id": types.StringType, "created_at": types.TimestampType, "timezone": types.StringType,
		"traits":      types.NewMapType(types.StringType, types.DynType),
		"tags":        types.NewListType(types.StringType),
		"consent":     types.NewMapType(types.StringType, types.DynType),
		"preferences": types.NewMapType(types.StringType, types.DynType),
	},
	typeChain: {
		"key": types.StringType, "entered_at": types.TimestampType, "step": types.StringType,
		"variants": types.NewMapType(types.StringType, types.StringType),
		"reply":    types.NewMapType(types.StringType, types.DynType),
	},
}

// provider adds the object types to CEL's own.
type provider struct{ types.Provider }

func (p provider) FindStructType(name string) (*types.Type, bool) {
	if _, ok := fieldTypes[name]; ok {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return p.Provider.FindStructType(name)
}

func (p provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	fields, ok := fieldTypes[name]
	if !ok {
		return p.Provider.FindStructFieldType(name, field)
	}
	t, ok := fields[field]
	if !ok {
		return nil, false
	}
	get := func(target any) (any, error) {
		finder, ok := target.(interface {
			Find(key ref.Val) (ref.Val, bool)
		})
		if !ok {
			return nil, errNoField
		}
		v, found := finder.Find(types.String(field))
		if !found {
			return nil, errNoField
		}
		return v, nil
	}
	isSet := func(target any) bool {
		_, err := get(target)
		return err == nil
	}
	return &types.FieldType{Type: t, IsSet: isSet, GetFrom: get}, true
}
