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

// maxNesting bounds how deep captured values nest; events nest to 32.
const maxNesting = 100

var errNesting = errors.New("values nest too deep")

// unfold makes nested objects of the captured values: a JSON object from dotted paths to
// values. A path inside of another one that is there too is found in that. The roots are
// always there, so that a value that was not captured is missed; without any values the
// message names no variable, or is looked at without a customer.
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

// place puts a value at a path; what stands on the way and is no object of paths has the
// value inside already.
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

// decode reads JSON; objects keep their order and numbers what they were.
func decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return next(d, maxNesting)
}

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
