package lint_test

import (
	"fmt"
	"strings"
)

func plantedImports() []planted {
	imports := func(folder, mark string) string {
		return source(`import _ "example.com/m/` + folder + `"` + mark)
	}
	const mod, bad = "module example.com/m\n", " // BAD"
	return []planted{
		{name: "commands are leaves", rule: "import walls", files: map[string]string{
			"go.mod":             mod,
			"cmd/a/main.go":      imports("cmd/b/part", ""),
			"server/node.go":     imports("cmd/b/part", bad),
			"server/x_test.go":   imports("cmd/b/part", bad),
			"main.go":            imports("cmd", bad),
			"ops/a.go":           imports("cmdline", ""),
			"ops/other.go":       source(`import _ "example.com/other/cmd/b"`),
			"cmdline/flags.go":   imports("cmd/b", bad),
			"internal/x/cmd.go":  imports("internal/cmd", ""),
			"sink/dispatch/a.go": imports("cmd/b", bad),
		}},
		{name: "server", rule: "import walls", files: map[string]string{
			"go.mod":               mod,
			"cmd/nudged/main.go":   imports("server", ""),
			"bench/faults/a.go":    imports("server/erasure", ""),
			"actors/a.go":          imports("server", bad),
			"sink/dispatch/a.go":   imports("server/catalog", bad),
			"ops/history/a.go":     imports("server", bad),
			"internal/x/a_test.go": imports("server/admin", bad),
			"server/node.go":       imports("server/admin", ""),
			"server/admin/api.go":  imports("sim/audit", bad),
			"server/deploy/a.go":   imports("internal/simulate", bad),
			"server/deploy/b.go":   imports("internal/simulated", ""),
			"server/deploy/c.go":   imports("ops/history", bad),
			"cmd/nudge/a.go":       imports("ops/history", ""),
			"ops/backtest/a.go":    imports("ops/history", ""),
			"ops/backtest/b.go":    imports("sim", bad),
			"stream/a.go":          imports("ops/datadir", bad),
		}},
		{name: "language", rule: "import walls", files: map[string]string{
			"go.mod":                     mod,
			"campaign/event/a.go":        imports("campaign/unit", ""),
			"campaign/event/b.go":        imports("campaign/output", bad),
			"campaign/unit/a.go":         imports("campaign/event", bad),
			"campaign/output/a.go":       imports("campaign/customer", bad),
			"campaign/customer/a.go":     imports("campaign/expr", bad),
			"campaign/schedule/a.go":     imports("campaign/zone", ""),
			"campaign/schedule/b.go":     imports("campaign/program", bad),
			"campaign/expr/a.go":         imports("campaign/program", bad),
			"campaign/program/a.go":      imports("campaign/parse", bad),
			"campaign/active/a.go":       imports("campaign/machine", bad),
			"campaign/trace/a.go":        imports("campaign/program", ""),
			"campaign/machine/a.go":      imports("campaign/active", ""),
			"campaign/machine/b.go":      imports("stream", bad),
			"campaign/machine/c.go":      imports("campaign/yamltext", bad),
			"campaign/machine/d.go":      imports("campaign/parse", bad),
			"campaign/machine/e_test.go": imports("campaign/parse", ""),
			"actors/engine.go":           imports("campaign/parse", bad),
			"actors/shard/a.go":          imports("campaign/parse", bad),
			"actors/shard/b_test.go":     imports("campaign/parse", ""),
			"internal/definition/a.go":   imports("campaign/parse", ""),
		}},
		{name: "message", rule: "import walls", files: map[string]string{
			"go.mod":              mod,
			"message/a.go":        imports("campaign/customer", ""),
			"message/liquid/b.go": imports("message", ""),
			"message/c.go":        imports("actors", bad),
			"message/c_test.go":   imports("storage", bad),
			"messages/d.go":       imports("actors", ""),
		}},
		{name: "shard", rule: "import walls", files: map[string]string{
			"go.mod":                     mod,
			"actors/a.go":                imports("actors/shard", ""),
			"actors/shard/a.go":          imports("actors/shard/wheel", ""),
			"actors/shard/b.go":          imports("actors", bad),
			"actors/shard/c.go":          imports("actors/recovery", bad),
			"actors/shard/d.go":          imports("sink", bad),
			"actors/shard/wheel/e.go":    imports("stream/nats", ""),
			"actors/shard/wheel/f.go":    imports("ingest", bad),
			"actors/shard/wheel_test.go": imports("internal/goldentest", ""),
			"actors/shards/g.go":         imports("actors", ""),
			"actors/recovery/a.go":       imports("actors/shard/control", ""),
			"actors/recovery/b.go":       imports("actors", bad),
		}},
		{name: "sim", rule: "import walls", files: map[string]string{
			"go.mod":         mod,
			"sim/a.go":       imports("actors/shard", ""),
			"sim/b.go":       imports("actors/recovery", ""),
			"sim/c.go":       imports("actors", bad),
			"sim/c_test.go":  imports("actors", bad),
			"sim/audit/d.go": imports("actors", bad),
		}},
		{name: "go statements", rule: "thin commands", files: map[string]string{
			"cmd/nudged/main.go":    source("func f() {", "\tgo f()", "}"),
			"cmd/nudged/a.go":       source("func f() {", "\tgo f() // BAD", "\tfunc() { go f() }() // BAD", "}"),
			"cmd/nudge/a.go":        source("func f() {", "\tgo f() // BAD", "}"),
			"cmd/nudge/a_test.go":   source("func f() {", "\tgo f()", "}"),
			"cmd/clickhoused/a.go":  source("func f() {", "\tgo f()", "}"),
			"server/child/child.go": source("func f() {", "\tgo f()", "}"),
		}},
	}
}

func plantedPackages() []planted {
	const half = 2000 // lines; a package clause is one
	files := map[string]string{
		"a/x.go":      "package p\n" + strings.Repeat("\n", half),
		"a/y.go":      "package p\n" + strings.Repeat("\n", half),
		"a/z.go":      "package p\n",
		"b/x.go":      "package p\n" + strings.Repeat("\n", half-2),
		"b/y.go":      "package p\n" + strings.Repeat("\n", half-1),
		"b/y_test.go": "package p\n" + strings.Repeat("\n", half),
		"b/z.go":      strings.Repeat("// text\n", 3*half) + "package p\n",
		"sim/x.go":    "package p\n" + strings.Repeat("\n", 3*half),
		"ctest/x.go":  "package p\n" + strings.Repeat("\n", 3*half),
	}
	for i := range 41 {
		files[fmt.Sprintf("many/f%02d.go", i)] = "package p\n"
		files[fmt.Sprintf("enough/f%02d_test.go", i)] = "package p\n"
		files[fmt.Sprintf("many/part/f%02d.go", min(i, 39))] = "package p\n"
	}
	return []planted{{name: "large", rule: "package size", files: files, want: []string{"a/y.go:1", "many/f40.go:1"}}}
}
