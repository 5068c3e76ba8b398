package jsonvalue

import "strings"

// Variables have paths, as customer.traits.name. In a name a dot or backslash has a backslash
// before it, so that names with dots have paths too: trigger.properties.a\.b.

// JoinPath returns the path of names, escaped so that SplitPath returns the same names.
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

// SplitPath returns the names of which a path consists, without their escapes. It returns at least one
// name, which is empty for an empty path.
func SplitPath(path string) []string {
	var names []string
	for more := true; more; {
		var name string
		name, path, more = CutPath(path)
		names = append(names, name)
	}
	return names
}

// CutPath returns the first name of a path and the rest of the path after the dot. more reports whether
// there is a rest.
func CutPath(path string) (name, rest string, more bool) {
	// Most paths have no escapes and need no copy.
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
