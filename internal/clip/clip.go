// Package clip shortens texts that come from outside before they are stored or shown.
package clip

// Text is the first n bytes of s at most, cut at a rune boundary.
func Text(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
