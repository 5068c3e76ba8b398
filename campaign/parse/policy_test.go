package parse

import (
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/expr"
)

func TestAnonymousExpiryErrors(t *testing.T) {
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]string{
		"30d": "", "never": "", "1h": "",
		"59m":     "4:26: anonymous_expiry: must be at least 1h, or never",
		"0s":      "4:26: anonymous_expiry must be more than zero",
		"forever": "4:26: anonymous_expiry: ",
	} {
		text := "apiVersion: nudge/v1\nkind: Policy\nmetadata: {name: p}\nspec: {anonymous_expiry: " + value + "}\n"
		_, err := File(lang, "f", []byte(text))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v; want %q", value, err, want)
		}
	}
}
