package event

import (
	"strings"
	"testing"
)

func TestNamesNobody(t *testing.T) {
	for _, id := range []string{
		"", " ", "undefined", "UNDEFINED", " undefined ", "null", "Null", "None", "nil", "<nil>", "(null)", "NaN", `"undefined"`,
		"'null'", "[object Object]", "[object object]", "0", "-1", "true", "False", "anonymous", "guest", "Unknown", "\tnull\n",
		"00000000-0000-0000-0000-000000000000", "00000000000000000000000000000000",
		"{00000000-0000-0000-0000-000000000000}", "\u00a0undefined",
		"null\u200b", "un\u200bdefined", "\u2060undefined", "\u200b", "\u3164", "\u202enull", "nu\u00adll", "undefined\u3000",
		"\uff55\uff4e\uff44\uff45\uff46\uff49\uff4e\uff45\uff44", "\uff2e\uff35\uff2c\uff2c", "\u2018null\u2019", "\u201cundefined\u201d",
		"[object\u00a0Object]", strings.Repeat("\u200b", 40) + "null", strings.Repeat(" ", 100) + "null",
	} {
		if !NamesNobody(id) {
			t.Errorf("%q names somebody", id)
		}
	}
	for _, id := range []string{
		"ann", "1", "00", "nobody@example.com", "undefined-7", "null-1", "00000000-0000-0000-0000-000000000001", "nana", "o",
		"Guest House", "nan@example.com",
		"\u30ca\u30eb", "null\u00e9", "\U0001f600", "e\u0301", "\u0e2d\u0e19",
	} {
		if NamesNobody(id) {
			t.Errorf("%q names nobody", id)
		}
	}
}
