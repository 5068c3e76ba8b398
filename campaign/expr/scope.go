package expr

import (
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/zone"
)

// The CEL names of the language's own object types.
const (
	typeEvent    = "nudge.Event"
	typeCustomer = "nudge.Customer"
	typeChain    = "nudge.Chain"
)

// Scope holds what an expression sees. It is filled anew for each record and reused, so that
// evaluating allocates no scope; hence it is for one goroutine. The expressions themselves are
// shared.
type Scope struct {
	// work is counted anew by each evaluation; see Expr.Eval.
	work meter
	// Event is the event that is being handled; unset while a timer fires.
	Event eventView
	// Trigger is the event by which the chain was entered, "trigger" in expressions.
	Trigger  eventView
	Customer customerView
	// Chain is unset where the expression is not about one chain, as in the condition of a trigger.
	Chain chainView
	// Now is the log's time in Unix milliseconds, and not that of the machine.
	Now int64
}

// NewScope returns a scope without values. The caller sets at least a customer before evaluating.
func NewScope() *Scope {
	s := new(Scope)
	s.Event.work, s.Trigger.work, s.Chain.work = &s.work, &s.work, &s.work
	s.Event.record = record{name: typeEvent, find: s.Event.field}
	s.Trigger.record = record{name: typeEvent, find: s.Trigger.field}
	s.Customer.scope = s
	s.Customer.record = record{name: typeCustomer, find: s.Customer.field}
	s.Chain.record = record{name: typeChain, find: s.Chain.field}
	return s
}

// ResolveName gives the variables of the language to the CEL interpreter; it implements
// cel.Activation. A variable without a value is not found, which makes an expression that names it
// missing.
func (s *Scope) ResolveName(name string) (any, bool) {
	switch name {
	case "event":
		return ref.Val(&s.Event.record), s.Event.Event != nil
	case "trigger":
		return ref.Val(&s.Trigger.record), s.Trigger.Event != nil
	case "customer":
		return ref.Val(&s.Customer), true
	case "chain":
		return ref.Val(&s.Chain.record), s.Chain.Chain != nil
	case "now":
		return CELTime(s.Now), true
	case meterName:
		return &s.work, true
	}
	return nil, false
}

// Parent implements cel.Activation; nil, since scopes do not nest.
func (s *Scope) Parent() cel.Activation { return nil }

// eventView shows an event to CEL. Its JSON is parsed on first use: most events are matched by
// their name alone.
type eventView struct {
	record
	Event   *event.Event
	work    *meter
	Props   jsonvalue.Lazy
	Context jsonvalue.Lazy
}

// Set shows e from now on; nil shows none. The same event again costs nothing, and keeps what was
// parsed.
func (v *eventView) Set(e *event.Event) {
	if v.Event == e {
		return
	}
	v.Event = e
	if e == nil {
		v.Props.Reset(nil)
		v.Context.Reset(nil)
		return
	}
	v.Props.Reset(e.Properties)
	v.Context.Reset(e.Context)
}

// field returns a field of the event for CEL; fieldTypes lists them.
func (v *eventView) field(name string) (ref.Val, bool) {
	switch name {
	case "id":
		return types.String(v.Event.ID), true
	case "name":
		return types.String(v.Event.Name), true
	case "time":
		return CELTime(v.Event.Time), true
	case "properties":
		return jsonMap{o: v.Props.Object(), work: v.work}, true
	case "context":
		return jsonMap{o: v.Context.Object(), work: v.work}, true
	}
	return nil, false
}

// customerView shows a customer to CEL; the counter functions take it as receiver.
type customerView struct {
	record
	Customer *customer.Customer
	scope    *Scope // for the instant that windows end at
	Traits   jsonvalue.Lazy
}

// Set shows c from now on. It must be called again after the traits of c changed, since they are
// parsed once.
func (v *customerView) Set(c *customer.Customer) {
	v.Customer = c
	v.Traits.Reset(c.Traits)
}

// field returns a field of the customer for CEL; fieldTypes lists them. A customer without a known
// time zone lacks customer.timezone.
func (v *customerView) field(name string) (ref.Val, bool) {
	switch name {
	case "id":
		return types.String(v.Customer.ID), true
	case "traits":
		return jsonMap{o: v.Traits.Object(), work: &v.scope.work}, true
	case "created_at":
		return CELTime(v.Customer.CreatedAt), true
	case "tags":
		return types.NewStringList(types.DefaultTypeAdapter, v.Customer.Tags), true
	case "timezone":
		if name := v.Zone(); name != "" {
			return types.String(name), true
		}
	case "consent":
		return consentView(v.Customer, customer.AboutCategory), true
	case "preferences":
		return consentView(v.Customer, customer.AboutChannel), true
	}
	return nil, false
}

// Zone names the customer's time zone: that of the trait, else of their device; empty when
// there is none. What is no zone counts as missing, as it does where the zone is used.
func (v *customerView) Zone() string {
	if trait := v.Traits.Get(customer.TraitTimezone); trait != nil && trait.Type() == fastjson.TypeString {
		if name, ok := zone.Name(string(trait.GetStringBytes())); ok {
			return name
		}
	}
	name, _ := zone.Name(v.Customer.Device.Name)
	return name
}

// chainView shows a chain to CEL: where it is, the variants it was assigned, and the last webhook
// reply.
type chainView struct {
	record
	Chain *customer.Chain
	work  *meter
}

// field returns a field of the chain for CEL; fieldTypes lists them. chain.reply is missing until a
// webhook answered.
func (v *chainView) field(name string) (ref.Val, bool) {
	switch name {
	case "key":
		return types.String(v.Chain.Key), true
	case "entered_at":
		return CELTime(v.Chain.EnteredAt), true
	case "step":
		return types.String(v.Chain.Step), true
	case "reply":
		if len(v.Chain.Reply) > 0 {
			var l jsonvalue.Lazy
			l.Reset(v.Chain.Reply)
			return jsonMap{o: l.Object(), work: v.work}, true
		}
	case "variants":
		var l jsonvalue.Lazy
		l.Reset(output.VariantsJSON(v.Chain.Variants))
		return jsonMap{o: l.Object()}, true
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

// provider adds the object types of the language to CEL's own.
type provider struct{ types.Provider }

// FindStructType implements types.Provider: it tells the checker which names are types.
func (p provider) FindStructType(name string) (*types.Type, bool) {
	if _, ok := fieldTypes[name]; ok {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return p.Provider.FindStructType(name)
}

// FindStructFieldType implements types.Provider: it gives the checker the type of a field and the
// interpreter the way to read it. An unknown field is thus an error when a campaign is applied, and
// not when an event comes.
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
