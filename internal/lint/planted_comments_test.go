package lint_test

func plantedComments() []planted {
	// commented is a file of 100 lines that are not blank, n of them comments.
	commented := func(n int) string {
		return source(repeat("// why", n), "", repeat("var x int // a comment behind code does not count", 99-n))
	}
	return []planted{
		{name: "too few", rule: "comments", want: []string{"b/b.go:1"}, files: map[string]string{
			"a/a.go":           commented(18),
			"b/b.go":           commented(17),
			"b/c.go":           commented(17), // one finding, at the package that lacks most
			"c/c.go":           commented(17),
			"b/b_test.go":      commented(99),
			"sim/sim.go":       commented(99),
			"b/btest/suite.go": commented(99),
		}},
		{name: "just enough", rule: "comments", files: map[string]string{
			"a/a.go":      commented(0),
			"b/b.go":      commented(36),
			"c/c_test.go": commented(0),
			"bench/b.go":  commented(0),
		}},
		{name: "nothing to explain", rule: "comments", files: map[string]string{"a/a_test.go": commented(0)}},
	}
}
