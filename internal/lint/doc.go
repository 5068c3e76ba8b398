// Package lint tests the source itself: the rules of this repository that no
// off-the-shelf linter can see. A rule is a function from a parsed [Repo] to
// findings; tidy_test.go applies every rule to the tree and planted_test.go
// proves that every rule can fail.
//
// # Rules
//
//	package comment      every package says what it is for
//	size                 file <= 600 lines, function body <= 70 (comments not counted)
//	open ends            a promise to come back carries an issue number: TODO(#12)
//	one title            one "# Title" per markdown file
//	links                links inside the repository, and pages of docs/ that a text
//	                     names, exist
//	retired words        no phrase that docs/glossary.md retired, and no name as a part of one that Go
//	                     code declares or in backticks
//	no sleep in tests    time.Sleep only in *_synctest_test.go
//	deterministic core   campaign/, actors/shard/ and sink/dispatch/plan/: no go, no select, no range
//	                     over a map, no clock, no randomness
//	sum types            a type switch over an interface marked //sumtype:decl names each
//	                     of its kinds and has no default
//	names                no init functions, no packages named util, common, types, ...
//	package variables    nothing mutable at package level
//	machine paths        no path of one developer's machine in a tracked text file
//	dependencies named   direct dependencies are explained in docs/dependencies.md
//	tracked files        at most 1 MiB each, and no compiled program or library
//	import walls         which folder of the module may import which
//	package size         at most 40 files and 4,000 lines without tests and comments, of the product
//	comments             at least 18 of 100 lines are comments, of the product as a whole
//	thin commands        no go statement in cmd/nudged and cmd/nudge, but in main.go
//	methods              at most 60 methods a type, of the product, with those it embeds
//	parts                a part of the machine or of a shard has fields of its own, and a way to earlier
//	                     parts only
//
// # Exceptions
//
// An exception is a comment on the line or on the line above, with a reason:
//
//	//nudge:unordered <why the order of this map cannot show>
//	//nudge:constant <why this variable is never written>
//
// A file is generated, and free of the size rule, when it is named *_gen.go and
// carries the "Code generated ... DO NOT EDIT." header. A directory
// of the core whose name ends in "test" holds a conformance suite and is no core.
//
// # Limits
//
// Types are resolved within this module only, so a range over a map type that
// another module declares is not seen. Go files under testdata, vendor and
// directories that begin with a dot or an underscore are not looked at.
package lint
