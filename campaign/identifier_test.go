package campaign_test

import (
	"strings"
	"testing"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign"
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
		if !campaign.NamesNobody(id) {
			t.Errorf("%q names somebody", id)
		}
	}
	for _, id := range []string{
		"ann", "1", "00", "nobody@example.com", "undefined-7", "null-1", "00000000-0000-0000-0000-000000000001", "nana", "o",
		"Guest House", "nan@example.com",
		"\u30ca\u30eb", "null\u00e9", "\U0001f600", "e\u0301", "\u0e2d\u0e19",
	} {
		if campaign.NamesNobody(id) {
			t.Errorf("%q names nobody", id)
		}
	}
}

// A whole number and its text are one id.
func TestIdentifier(t *testing.T) {
	for text, want := range map[string]string{
		`"u"`: "u", `17`: "17", `1e3`: "1000", `1.0`: "1", `-5`: "-5", `-0`: "0", `12345678901234567890`: "12345678901234567890",
		`""`: "",
	} {
		got, ok := campaign.Identifier(fastjson.MustParse(text))
		if !ok || got != want {
			t.Errorf("%s: unexpected id %q, %v; want %q", text, got, ok, want)
		}
	}
	for _, text := range []string{`1.5`, `1e300`, `1e-7`, `true`, `null`, `["u"]`, `{}`} {
		if got, ok := campaign.Identifier(fastjson.MustParse(text)); ok {
			t.Errorf("%s is the id %q; want none", text, got)
		}
	}
}
