// Package clip shortens texts that come from outside before they are stored or shown.
package clip

// Text returns at most the first n bytes of s. It cuts at the boundary of a character, so
// that the result stays valid UTF-8.
func Text(s string, n int) string {
	if len(s) <= n {
		return s
	}
	// Bytes 10xxxxxx continue a character.
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
