// Package nearest finds the name that someone who misspelled one probably meant, for hints in error
// messages. It is pure, and its answers do not depend on anything but the arguments.
package nearest

import (
	"strings"
	"unicode/utf8"
)

// maxWord is the greatest length in bytes of what is compared. The time to compare grows with the
// product of both lengths.
const maxWord = 100

// Name returns the one of names that is nearest to word, or an empty string where none is near. A word
// that is itself one of names has no nearer one.
//
// Names that differ only in case, in - and _, or by the s of a plural are nearest; then names that
// differ by few letters; then those that word begins, or that begin word. Of equally near names the
// first is taken.
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

// Hint returns `; did you mean "name"?` for the nearest of names, to be put at the end of an error
// message. It is empty where none is near.
func Hint(word string, names []string) string {
	if name := Name(word, names); name != "" {
		return `; did you mean "` + name + `"?`
	}
	return ""
}

// worst returns how many letters of a word may be wrong: one in three.
func worst(word string) int { return utf8.RuneCountInString(word) / 3 }

// fold returns s without the differences that people overlook: case, separators, the s of a plural.
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

// distance returns the number of edits that turn a into b: a letter inserted, deleted or replaced, or
// two neighbours swapped (the restricted Damerau-Levenshtein distance).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	// Three rows of the usual table are enough: the one being filled and the two above, because a swap
	// looks back by two.
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
