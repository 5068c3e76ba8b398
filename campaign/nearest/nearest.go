// Package nearest finds the name that somebody probably meant.
package nearest

import (
	"strings"
	"unicode/utf8"
)

// maxWord bounds what is compared, bytes: longer words have no near name.
const maxWord = 100

// Name is the one of names that is nearest to word; empty when none is near. Names that
// differ in upper and lower case, in - and _, or by a plural's s are nearest, then names
// that differ by few letters, then those that word begins, or that begin word.
func Name(word string, names []string) string {
	if word == "" || len(word) > maxWord {
		return ""
	}
	best, least, w := "", worst(word)+1, fold(word)
	for _, name := range names {
		if name == word || name == "" || len(name) > maxWord {
			continue
		}
		if d := distance(w, fold(name)); d < least {
			best, least = name, d
		}
	}
	if best != "" {
		return best
	}
	for _, name := range names {
		n := fold(name)
		if len(w) >= 3 && len(n) >= 3 && (strings.HasPrefix(n, w) || strings.HasPrefix(w, n)) {
			return name
		}
	}
	return ""
}

// Hint is `; did you mean "name"?` for the nearest name, or empty.
func Hint(word string, names []string) string {
	if name := Name(word, names); name != "" {
		return `; did you mean "` + name + `"?`
	}
	return ""
}

// worst is how many letters of a word may be wrong.
func worst(word string) int { return utf8.RuneCountInString(word) / 3 }

// fold leaves out what people do not look at.
func fold(s string) string {
	s = strings.ToLower(strings.Map(func(c rune) rune {
		if c == '-' || c == '_' || c == ' ' {
			return -1
		}
		return c
	}, s))
	if len(s) > 3 {
		s = strings.TrimSuffix(s, "s")
	}
	return s
}

// distance is how many letters must be put in, left out, replaced or swapped with their
// neighbour to make b of a.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	rows := [3][]int{make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := range x {
		before, above, row := rows[0], rows[1], rows[2]
		row[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			row[j+1] = min(above[j+1]+1, row[j]+1, above[j]+cost)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		rows = [3][]int{above, row, before}
	}
	return rows[1][len(y)]
}
