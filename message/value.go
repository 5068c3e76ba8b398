package message

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/message/liquid"
)

// maxNesting is the greatest depth of captured values, so that a hostile value cannot
// exhaust the stack. Events, from which they come, nest to 32.
const maxNesting = 100

var errNesting = errors.New("values nest too deep")

// unfold makes nested values, as a template looks them up, of the captured ones: a JSON
// object from dotted paths to values. Where the path of one captured value is inside of
// another captured one, the inner one is found in that.
//
// The roots of all variables are always there, so that a value that was not captured counts
// as missing. Without any values the result is empty: the message names no variable, or is
// previewed without a customer.
func unfold(values []byte) (map[string]any, error) {
	root := map[string]any{}
	if len(values) == 0 {
		return root, nil
	}
	for _, name := range roots {
		first, _, _ := strings.Cut(name, ".")
		root[first] = map[string]any{}
	}
	flat, err := decode(values)
	if err != nil {
		return nil, fmt.Errorf("message: captured values: %w", err)
	}
	all, ok := flat.(liquid.Object)
	if !ok {
		return nil, errors.New("message: captured values are no object")
	}
	for _, item := range all {
		place(root, jsonvalue.SplitPath(item.Name), item.Value)
	}
	return root, nil
}

// place puts a value at a path and makes the objects on the way. A captured value on the
// way has the value inside of it already, so nothing is changed then.
func place(at map[string]any, path []string, value any) {
	for _, part := range path[:len(path)-1] {
		next, known := at[part]
		if !known {
			inner := map[string]any{}
			at[part], at = inner, inner
			continue
		}
		inner, ok := next.(map[string]any)
		if !ok {
			return
		}
		at = inner
	}
	at[path[len(path)-1]] = value
}

// decode reads JSON. Objects keep the order of their members and numbers stay exact;
// encoding/json alone would lose both, and the same values would not always give the same
// text.
func decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return next(d, maxNesting)
}

// next reads one value of d, at most depth levels deep.
func next(d *json.Decoder, depth int) (any, error) {
	if depth == 0 {
		return nil, errNesting
	}
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Number:
		return liquid.NumberOf(token.String()), nil
	case json.Delim:
		if token == '[' {
			return list(d, depth)
		}
		return members(d, depth)
	default: // a string, true, false or null
		return token, nil
	}
}

// list reads the elements of an array whose opening bracket was read.
func list(d *json.Decoder, depth int) (any, error) {
	all := []any{}
	for d.More() {
		v, err := next(d, depth-1)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	_, err := d.Token()
	return all, err
}

// members reads the members of an object whose opening brace was read.
func members(d *json.Decoder, depth int) (any, error) {
	all := liquid.Object{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := next(d, depth-1)
		if err != nil {
			return nil, err
		}
		name, _ := key.(string) // JSON has no others
		all = append(all, liquid.Member{Name: name, Value: v})
	}
	_, err := d.Token()
	return all, err
}
