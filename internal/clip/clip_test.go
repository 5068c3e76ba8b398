package clip

import "testing"

func TestText(t *testing.T) {
	for _, c := range []struct {
		s    string
		n    int
		want string
	}{
		{"", 0, ""},
		{"short", 5, "short"},
		{"longer", 4, "long"},
		{"aé", 2, "a"}, // é takes two bytes: none of it is kept
		{"aéb", 3, "aé"},
		{"日本", 2, ""},
	} {
		if got := Text(c.s, c.n); got != c.want {
			t.Errorf("Text(%q, %d): got %q; want %q", c.s, c.n, got, c.want)
		}
	}
}
