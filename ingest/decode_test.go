package ingest

import "testing"

// A body that is no JSON is refused with the place, and with what is wrong there.
func TestNotJSON(t *testing.T) {
	for body, want := range map[string]string{
		`{"userId": "a", "event" "x"}`:               "byte 25: invalid character '\"' after object key",
		`{"userId": "a",}`:                           "byte 16: invalid character '}' looking for beginning of object key string",
		`{'userId': "a"}`:                            "byte 2: invalid character '\\'' looking for beginning of object key string",
		`{"userId": "a"`:                             "byte 14: unexpected end of JSON input",
		`{"userId": "a"}}`:                           "byte 16: invalid character '}' after top-level value",
		"{\n  \"userId\": \"\u00e9\", \"n\": NaN\n}": "line 2, column 23 (byte 26): invalid character 'N' looking for beginning of value",
	} {
		_, p := new(decoder).parse([]byte(body))
		if p == nil || len(p.Errors) != 1 {
			t.Errorf("%s: %+v", body, p)
			continue
		}
		if want = "the body is not valid JSON: " + want; p.Detail != want || p.Errors[0].Message != want {
			t.Errorf("%s: %q, want %q", body, p.Detail, want)
		}
	}
}
