package event

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// NamesNobody reports whether an id identifies no one because broken clients send it for every
// visitor: an absent value that became a text ("undefined"), or a placeholder. Case, surrounding
// spaces and quotes, invisible characters and full-width forms make no difference.
//
// Everything that takes a customer's id from outside must call it; otherwise all visitors of one
// broken client become one customer.
func NamesNobody(id string) bool {
	plain := strings.Trim(id, around)
	if strings.IndexFunc(plain, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0 {
		plain = strings.Trim(strings.Map(asSeen, plain), around) // apart, because it is slow
	}
	if len(plain) > maxPlaceholder {
		return false
	}
	plain = strings.ToLower(plain)
	switch plain {
	case "", "null", "nil", "none", "undefined", "nan", "[object object]", "[object undefined]", "[object null]",
		"0", "-1", "true", "false", "unknown", "anonymous", "guest", "not_authenticated", "n/a", "-":
		return true
	}
	// A UUID of zeros, with or without dashes, or any longer run of zeros.
	return len(plain) >= len(zeroUUID) && strings.Trim(plain, "0-") == ""
}

const (
	// maxPlaceholder is the length in bytes above which an id is not compared with the placeholders;
	// the longest of them is a UUID of 36 characters.
	maxPlaceholder = 64
	// around are the characters before and after an id that make no difference.
	around = " \t\r\n\"'`<>(){}"
	// zeroUUID is the nil UUID (RFC 9562) without its dashes; only its length is used.
	zeroUUID = "00000000000000000000000000000000"
)

// asSeen returns the plain character that r looks like, or -1 for a character that is invisible. Ids
// that look the same to a person are then compared as the same.
func asSeen(r rune) rune {
	// The full-width forms of ASCII are one block at a fixed distance from ASCII.
	const fullFirst, fullLast, fullToPlain = '\uff01', '\uff5e', 0xfee0
	switch {
	case unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
		return -1
	case unicode.IsSpace(r):
		return ' '
	case unicode.In(r, unicode.Pi, unicode.Pf): // quotes of typography
		return '"'
	case r >= fullFirst && r <= fullLast:
		return r - fullToPlain
	}
	return r
}
