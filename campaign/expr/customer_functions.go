package expr

import (
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// consentView shows the consents of one kind to CEL: a map from the name to {granted, at, source}.
// It is written as JSON and parsed again, so that consents, traits and properties are one type to
// CEL.
func consentView(c *customer.Customer, subject customer.Subject) ref.Val {
	b := []byte{'{'}
	for i := range c.Consents {
		x := &c.Consents[i]
		if x.Subject != subject {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(jsonvalue.AppendString(b, x.Name), `:{"at":`...)
		b = append(jsonvalue.AppendString(b, unit.FormatTime(x.At)), `,"granted":`...)
		if x.Granted {
			b = append(b, "true"...)
		} else {
			b = append(b, "false"...)
		}
		b = append(jsonvalue.AppendString(append(b, `,"source":`...), x.Source), '}')
	}
	var view jsonvalue.Lazy
	view.Reset(append(b, '}'))
	return jsonMap{o: view.Object()}
}

// readTag answers customer.tagged(tag).
func readTag(args ...ref.Val) ref.Val {
	view, ok := args[0].(*customerView)
	tag, okTag := args[1].(types.String)
	if !ok || !okTag {
		return types.NewErr("customer.tagged: unexpected arguments")
	}
	return types.Bool(view.Customer.Tagged(string(tag)))
}

// readWindow answers customer.count, sum, first and last with a window, such as
// customer.count("Visited", "7d"): what happened, by event time, after now minus the window. first
// and last are missing when nothing did; count and sum are 0. args are those of the call, the
// customer first and the window last.
func readWindow(function string, view *customerView, event string, args []ref.Val) ref.Val {
	length, ok := args[len(args)-1].(types.String)
	if !ok {
		return types.NewErr("customer.%s: the window is no text", function)
	}
	window, err := unit.ParseDuration(string(length))
	if err != nil {
		return types.NewErr("customer.%s: %v", function, err)
	}
	items := view.Customer.Window(event).Within(view.scope.Now, window)
	switch function {
	case "count":
		n := uint64(0)
		for i := range items {
			n += items[i].Count
		}
		return types.Int(n)
	case "sum":
		property, ok := args[2].(types.String)
		if !ok {
			return types.NewErr("customer.sum: the property is no text")
		}
		total := unit.Money(0)
		for i := range items {
			c := customer.Counter{Sums: items[i].Sums}
			total = total.Plus(c.Sum(string(property)))
		}
		return types.Double(total.Float())
	}
	if len(items) == 0 {
		return types.NewErr("no such key: customer.%s(%q, %q)", function, event, length)
	}
	if function == "first" {
		return CELTime(items[0].Time)
	}
	return CELTime(items[len(items)-1].Time)
}

// readCounter answers customer.count, sum, first and last over everything that was counted, and
// hands calls with a window to readWindow. function is the name called; args are its arguments, the
// customer first.
func readCounter(function string, args []ref.Val) ref.Val {
	view, ok := args[0].(*customerView)
	event, okName := args[1].(types.String)
	if !ok || !okName {
		return types.NewErr("customer.%s: unexpected arguments", function)
	}
	if function == "sum" && len(args) == 4 || function != "sum" && len(args) == 3 {
		return readWindow(function, view, string(event), args)
	}
	c := view.Customer.Counter(customer.CounterID(string(event), ""))
	switch function {
	case "count":
		if c == nil {
			return types.Int(0)
		}
		return types.Int(c.Count)
	case "sum":
		property, ok := args[2].(types.String)
		if !ok {
			return types.NewErr("customer.sum: the property is no text")
		}
		return types.Double(c.Sum(string(property)).Float())
	}
	if c == nil || c.Count == 0 {
		return types.NewErr("no such key: customer.%s(%q)", function, string(event))
	}
	if function == "first" {
		return CELTime(c.First)
	}
	return CELTime(c.Last)
}
