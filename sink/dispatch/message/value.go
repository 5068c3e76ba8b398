package message

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"gopkg.in/yaml.v2"
)

// object is a JSON object in the order of its text: the library walks through a map in
// any order, and the same input must give the same message.
type object = yaml.MapSlice

// unfold makes nested objects of the captured values: a JSON object from dotted paths to
// values. A path inside of another one that is there too is found in that.
func unfold(values []byte) (map[string]any, error) {
	root := map[string]any{}
	if len(values) == 0 {
		return root, nil
	}
	flat, err := decode(values)
	if err != nil {
		return nil, fmt.Errorf("message: captured values: %w", err)
	}
	all, ok := flat.(object)
	if !ok {
		return nil, errors.New("message: captured values are no object")
	}
	for _, item := range all {
		place(root, strings.Split(fmt.Sprint(item.Key), "."), item.Value)
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
	return next(d)
}

func next(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Number:
		return number(token.String()), nil
	case json.Delim:
		if token == '[' {
			return list(d)
		}
		return members(d)
	default:
		return token, nil
	}
}

func list(d *json.Decoder) (any, error) {
	all := []any{}
	for d.More() {
		v, err := next(d)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	_, err := d.Token()
	return all, err
}

func members(d *json.Decoder) (any, error) {
	all := object{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := next(d)
		if err != nil {
			return nil, err
		}
		all = append(all, yaml.MapItem{Key: key, Value: v})
	}
	_, err := d.Token()
	return all, err
}

// propertyOf is a member of an object, nil where there is none.
func propertyOf(v any, name string) any {
	all, ok := v.(object)
	if !ok {
		return nil
	}
	for _, item := range all {
		if item.Key == name {
			return item.Value
		}
	}
	return nil
}

// jsonText writes a value as JSON, objects in their order.
func jsonText(v any) (string, error) {
	var b bytes.Buffer
	err := appendJSON(&b, v)
	return b.String(), err
}

func appendJSON(b *bytes.Buffer, v any) error {
	switch v := v.(type) {
	case object:
		b.WriteByte('{')
		for i, item := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := appendJSON(b, item.Key); err != nil {
				return err
			}
			b.WriteByte(':')
			if err := appendJSON(b, item.Value); err != nil {
				return err
			}
		}
		b.WriteByte('}')
		return nil
	case []any:
		b.WriteByte('[')
		for i, inner := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := appendJSON(b, inner); err != nil {
				return err
			}
		}
		b.WriteByte(']')
		return nil
	case decimal:
		b.WriteString(v.String())
		return nil
	default:
		text, err := json.Marshal(v)
		b.Write(text)
		return err
	}
}
