package lint_test

import "strings"

func plantedTexts() []planted {
	// The words are put together here so that this file keeps the rules itself.
	work, root := "/"+"work/", "/"+"root/"
	fence, docs := "```", "docs"+"/"
	table := "# Words\n\n| retired | now |\n|---|---|\n"
	return []planted{
		{name: "no issue number", rule: "open ends", files: map[string]string{
			"a/a.go": source(
				"// "+"TODO: some day BAD",
				"var s = \"TODO in a string\"",
				"// "+"FIXME(#7): has a number",
				"// TODOLIST is a word",
				"/* first line",
				"   XXX(me) a name is no number BAD",
				"*/",
			),
		}},
		{name: "titles", rule: "one title", want: []string{"none.md:1", "two.md:3"}, files: map[string]string{
			"none.md":         "## Section\n",
			"two.md":          "# One\n\n# Two\n",
			"one.md":          "# One\n#hashtag\n## Section\n" + fence + "sh\n# a comment\n" + fence + "\n",
			"nested.md":       "# One\n~~~\n" + fence + "\n# a comment\n~~~\n",
			"testdata/any.md": "no title here",
		}},
		{name: "links", rule: "links", want: []string{"README.md:3", "README.md:4", "README.md:5", "a/a.go:3"}, files: map[string]string{
			"README.md": "# One\n[a](" + docs + "a.md#a-b), [site](https://example.com), [here](#one), [all](docs/)\n" +
				"[b](" + docs + "b.md)\n[a](" + docs + "a.md#c)\n[here](#two)\n" + fence + "\n[b](b)\n" + fence + "\n",
			docs + "a.md":       "# A\n\n## A `b`\n[up](../README.md#one)\n",
			"a/a.go":            source("// See "+docs+"a.md.", "// See "+docs+"none.md."),
			"a/testdata/any.md": "# Any\n[b](b.md)\n",
		}},
		{name: "words", rule: "retired words", want: []string{"a.md:2", "a/a.go:2"}, files: map[string]string{
			docs + "glossary.md": table + "| \"old " + "word\" | new |\n| `name` | other |\n",
			"a.md":               "# A\nOld " + "words are here\n",
			"a/a.go":             source("// an old "+"word", "// bold "+"wording, name"),
			"CHANGELOG.md":       "# C\nold " + "word\n",
			"testdata/a.go":      "old " + "word\n",
		}},
		{name: "retired names", rule: "retired words", files: map[string]string{
			docs + "glossary.md": table + "| `thaw` | resume |\n| `icedTurn` | slot |\n",
			"a.md": "# A\nSee `thaw`. BAD\nSee `Chain.thawAt(x)`. BAD\n" +
				"A thaw in prose, `thawed`, `turnIced`.\n",
			"a/a.go": source(
				"// Run calls `thaw`. BAD",
				"// A thaw in a comment, and its `thawed`.",
				"func waitsForThaw() {} // BAD",
				"func thaws(iced, turn int) {}",
				"type a struct{ icedTurn, b int } // BAD",
				"const Iced_Turn = 1 // BAD",
				"func b() (thaw bool) { // BAD",
				"	for ThawID := range \"\" { // BAD",
				"		_ = ThawID + other.Thaw + len(`thaw`)",
				"	}",
				"	return",
				"}",
			),
			"a/testdata/b.md": "# B\n`thaw`\n",
			"CHANGELOG.md":    "# C\n`thaw`\n",
		}},
		{name: "paths", rule: "machine paths", files: map[string]string{
			"run.sh": strings.Join([]string{
				"cd " + work + "main # BAD",
				root + ".cache/x BAD",
				"out=\"" + work + "out\" # BAD",
				"cd $HOME" + work + "main",
				"curl https://example.com" + work + "list",
				"ls " + strings.TrimSuffix(work, "/"),
			}, "\n"),
			"a/testdata/text.txt": "open " + work + "x BAD\n",
		}},
		{name: "made", rule: "tracked files", files: map[string]string{
			"nudged": "\x7fELF\x02\x01\x00", "a.out": "\xcf\xfa\xed\xfe\x00", "a/x.exe": "MZ\x90\x00",
			"a/testdata/big.tar.gz": strings.Repeat("x", 1<<20+1),
			"a/testdata/fits.gz":    strings.Repeat("x", 1<<20),
			"a/a.txt":               "ELF in a text", "empty": "", "run.sh": "#!/bin/sh\n",
		}, want: []string{"a.out:1", "a/testdata/big.tar.gz:1", "a/x.exe:1", "nudged:1"}},
		{name: "sleep", rule: "no sleep in tests", files: map[string]string{
			"a/a_test.go":          source(`import "time"`, "func x() {", "\ttime.Sleep(1) // BAD", "}"),
			"a/renamed_test.go":    source(`import clock "time"`, "var nap = clock.Sleep // BAD"),
			"a/a_synctest_test.go": source(`import "time"`, "func x() {", "\ttime.Sleep(1)", "}"),
			"a/a.go":               source(`import "time"`, "func x() {", "\ttime.Sleep(1)", "}"),
			"a/other_test.go":      source(`import "example.com/bed"`, "func x() {", "\tbed.Sleep(1)", "}"),
		}},
	}
}
