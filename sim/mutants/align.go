package main

import "go/token"

// alignment says what became of each token of a file: token k of base is now
// ours[from[k]:to[k]], or nobody knows, and from[k] is -1.
type alignment struct {
	base, ours []string
	from, to   []int
}

func align(base, ours []string, changes []change) *alignment {
	a := &alignment{base: base, ours: ours, from: make([]int, len(base)), to: make([]int, len(base))}
	k, at := 0, 0
	for _, c := range append(changes, change{a0: len(base), a1: len(base), b0: len(ours), b1: len(ours)}) {
		for ; k < c.a0; k, at = k+1, at+1 {
			a.from[k], a.to[k] = at, at+1
		}
		if !a.pair(c) {
			for i := c.a0; i < c.a1; i++ {
				a.from[i], a.to[i] = -1, -1
			}
		}
		k, at = c.a1, c.b1
	}
	a.qualified(changes)
	return a
}

// pair aligns the tokens of a change where the new ones are the old ones with other
// names: an identifier may have become another, or one with its package before it.
func (a *alignment) pair(c change) bool {
	at := c.b0
	for k := c.a0; k < c.a1; k++ {
		n := 1
		switch {
		case at >= c.b1:
			return false
		case token.IsIdentifier(a.base[k]) && at+2 < c.b1 && a.ours[at+1] == "." && token.IsIdentifier(a.ours[at+2]) &&
			(k+1 >= len(a.base) || a.base[k+1] != "."):
			n = 3
		case !alike(a.base[k], a.ours[at]):
			return false
		}
		a.from[k], a.to[k] = at, at+n
		at += n
	}
	return at == c.b1
}

// alike says whether one token may have taken the place of the other.
func alike(a, b string) bool {
	return a == b || token.IsIdentifier(a) && token.IsIdentifier(b) || isBlank(a) && isBlank(b) ||
		isComment(a) && isComment(b)
}

// qualified gives package qualifiers that were added to the identifiers behind them.
func (a *alignment) qualified(changes []change) {
	for _, c := range changes {
		if c.a0 == c.a1 && c.b1-c.b0 == 2 && token.IsIdentifier(a.ours[c.b0]) && a.ours[c.b0+1] == "." &&
			c.a1 < len(a.base) && token.IsIdentifier(a.base[c.a1]) && a.from[c.a1] == c.b1 {
			a.from[c.a1] = c.b0
		}
	}
}

// place is what became of base[k0:k1]: ours[from:to]. ok is false where it is gone, or
// rewritten, or something else was put in its middle.
func (a *alignment) place(k0, k1 int) (from, to int, ok bool) {
	before, after := 0, len(a.ours) // where what is before it ends, and what is after it begins
	if k0 > 0 {
		before = a.to[k0-1]
	}
	if k1 < len(a.base) {
		after = a.from[k1]
	}
	if k0 == k1 {
		switch {
		case before < 0:
			return after, after, after >= 0
		case after < 0:
			return before, before, true
		}
		return before, before, before == after
	}
	if from = a.from[k0]; from < 0 {
		from = before
	}
	if to = a.to[k1-1]; to < 0 {
		to = after
	}
	known, all := 0, 0
	for k := k0; k < k1; k++ {
		if isBlank(a.base[k]) {
			continue
		}
		all++
		if a.from[k] >= 0 {
			known++
		}
	}
	return from, to, from >= 0 && to >= from && 2*known >= all
}

// near is how many tokens on each side of a place are looked at to say that it is the
// same place.
const near = 20

// kept is the share of the tokens around base[k0:k1] that are around ours[at] too.
func (a *alignment) kept(k0, k1, at int) float64 {
	known, all := 0, 0
	for k := max(0, k0-near); k < min(len(a.base), k1+near); k++ {
		if isBlank(a.base[k]) {
			continue
		}
		all++
		if a.from[k] >= 0 && a.from[k] > at-5*near && a.from[k] < at+(k1-k0)+5*near {
			known++
		}
	}
	return float64(known) / float64(max(all, 1))
}

// renamed is what the identifier toks[i], written at base[k], is called now: like its use
// in base that is nearest to k. A name after a dot is not one without.
func (a *alignment) renamed(toks []string, i, k int) string {
	if !token.IsIdentifier(toks[i]) {
		return toks[i]
	}
	for d := range len(a.base) {
		for _, j := range []int{k + d, k - d - 1} {
			if j < 0 || j >= len(a.base) || a.base[j] != toks[i] || afterDot(a.base, j) != afterDot(toks, i) {
				continue
			}
			if a.from[j] >= 0 {
				return join(a.ours[a.from[j]:a.to[j]])
			}
		}
	}
	return toks[i]
}

func afterDot(toks []string, i int) bool { return i > 0 && toks[i-1] == "." }
