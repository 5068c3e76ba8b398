package jsonvalue

import "strings"

// Variables have paths, as customer.traits.name. In a name a dot or backslash has a backslash
// before it, so that names with dots have paths too: trigger.properties.a\.b.

// JoinPath is the path of names.
func JoinPath(names ...string) string {
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteByte('.')
		}
		for j := range len(name) {
			if name[j] == '.' || name[j] == '\\' {
				b.WriteByte('\\')
			}
			b.WriteByte(name[j])
		}
	}
	return b.String()
}

// SplitPath is the names of a path.
func SplitPath(path string) []string {
	var names []string
	for more := true; more; {
		var name string
		name, path, more = CutPath(path)
		names = append(names, name)
	}
	return names
}

// CutPath is the first name of a path, and the path behind it; more says whether there is one.
func CutPath(path string) (name, rest string, more bool) {
	if strings.IndexByte(path, '\\') < 0 {
		return strings.Cut(path, ".")
	}
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		switch {
		case path[i] == '.':
			return b.String(), path[i+1:], true
		case path[i] == '\\' && i+1 < len(path):
			i++
		}
		b.WriteByte(path[i])
	}
	return b.String(), "", false
}
