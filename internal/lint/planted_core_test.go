package lint_test

func plantedCore() []planted {
	const mod = "module example.com/m\n"
	clock := source(`import "time"`, "func f() {", "\t_ = time.Now() // BAD", "}")
	shell := source(`import "time"`, "func f() {", "\tgo f()", "\t_ = time.Now()", "\tselect {}", "}")
	return []planted{
		{name: "where", rule: "deterministic core", files: map[string]string{
			"campaign/a.go":               clock,
			"campaign/tree/a.go":          clock,
			"actors/shard/a.go":           clock,
			"actors/shard/engine.go":      clock,
			"actors/shard/wheel/wheel.go": clock,
			"actors/shards.go":            shell,
			"actors/recovery/a.go":        shell,
			"actors/shard/suitetest/a.go": shell,
			"actors/shard/shard_test.go":  shell,
			"actors/shards/a.go":          shell,
			"ingest/server.go":            shell,
			"internal/actors/any.go":      shell,
		}},
		{name: "what", rule: "deterministic core", files: map[string]string{
			"campaign/a.go": source(
				`import "time"`,
				`import "math/rand/v2" // BAD`,
				`import "hash/maphash" // BAD`,
				"func f(c chan int, now time.Time) time.Time {",
				"\tgo f(c, now) // BAD",
				"\tselect { // BAD",
				"\tcase <-c:",
				"\t}",
				"\tsleep := time.Sleep // BAD",
				"\treturn now.Add(time.Hour)",
				"}",
			),
		}},
		{name: "map order", rule: "deterministic core", files: map[string]string{
			"go.mod": mod,
			"campaign/names.go": source(
				"type Names map[string]int",
				"type Rule struct { Names Names; List []Names }",
			),
			"campaign/a.go": source(
				"import \"maps\"",
				"func all[M ~map[K]V, K comparable, V any](m M, n Names, s []int) {",
				"\tfor range m {} // BAD",
				"\tfor range n {} // BAD",
				"\tfor range maps.Keys(n) {} // BAD",
				"\tfor range s {}",
				"\tfor range 3 {}",
				"\tfor range map[int]int{1: 1} { // BAD",
				"\t}",
				"}",
			),
			"actors/shard/a.go": source(
				`import campaign "example.com/m/campaign"`,
				`import "example.com/other"`,
				"func f(r campaign.Rule, o other.Thing) {",
				"\tfor range r.Names {} // BAD",
				"\tfor _, names := range r.List {",
				"\t\tfor range names {} // BAD",
				"\t}",
				"\tfor range o.List {}",
				"}",
			),
		}},
		{name: "marked", rule: "deterministic core", files: map[string]string{
			"campaign/a.go": source(
				"func f(m map[int]int) {",
				"\tfor range m {} //nudge:unordered a sum has no order",
				"\t//nudge:unordered a sum has no order",
				"\tfor range m {}",
				"\tfor range m {} //nudge:unordered", // no reason
				"\t//nudge:unordered too far away",
				"\t_ = m",
				"\tfor range m {}",
				"}",
			),
		}, want: []string{"campaign/a.go:6", "campaign/a.go:9"}},
	}
}

func plantedVariables() []planted {
	return []planted{{name: "mutable", rule: "package variables", want: []string{"a/a.go:24"}, files: map[string]string{
		"a/a.go": source(
			`import ("errors"; "fmt"; "io"; "regexp"; _ "embed")`,
			`var ErrA = errors.New("a")`,
			`var errB = fmt.Errorf("b: %w", ErrA)`,
			`var word = regexp.MustCompile("a+")`,
			"var _ io.Reader = (*T)(nil)",
			"var _, counter = 1, 2 // BAD",
			"var ErrC, list = errors.New(\"c\"), []int{} // BAD",
			"var nothing int // BAD",
			"//go:embed file.txt",
			"var file string",
			"var table = []int{1} //nudge:constant a table",
			"// powers of ten.",
			"//",
			"//nudge:constant a table",
			"var powers = []int{1, 10}",
			"//nudge:constant both are tables",
			"var (",
			"\tone = []int{1}",
			")",
			"var ( //nudge:constant a table",
			"\ttwo = []int{1}",
			")",
			"var bare = []int{1} //nudge:constant",
			"func f() { var local int; _ = local }",
		),
		"a/a_test.go": source("var update = false"),
	}}}
}
