package lint

import (
	"go/ast"
	"go/types"
	"path"
	"slices"
	"strconv"
	"strings"
)

// core returns the folders of the deterministic core. Everything below them belongs to it.
func core() []string { return []string{"campaign", "actors/shard", "sink/dispatch/plan"} }

// isCore reports whether the file belongs to the deterministic core.
func isCore(file *GoFile) bool {
	folder := path.Dir(file.Path)
	return inAny(folder, core()) && !file.isTest() && !strings.HasSuffix(folder, "test")
}

// deterministicCore finds what could make two runs over the same records differ: goroutines
// and select, the order of maps, the clock, randomness. A replay after a crash must compute
// exactly the effects that were already sent, so one such statement can send a message
// twice or not at all.
func deterministicCore(repo *Repo) []Finding {
	var findings []Finding
	checker := newTypeChecker(repo)
	for _, file := range repo.Go {
		if !isCore(file) {
			continue
		}
		findings = append(findings, randomImports(repo, file)...)
		// Only a type tells a range over a map from one over a slice.
		info := checker.info(path.Dir(file.Path))
		ast.Inspect(file.AST, func(node ast.Node) bool {
			if wrong, instead := undetermined(repo, file, info, node); wrong != "" {
				findings = append(findings, repo.at(file, node.Pos(), wrong, instead))
			}
			return true
		})
	}
	return findings
}

// undetermined returns what is wrong with one node of the syntax tree, and what to do
// instead; both are empty where nothing is. A range over a map is allowed where its line,
// or the one above, has the mark //nudge:unordered with a reason.
func undetermined(repo *Repo, file *GoFile, info *types.Info, node ast.Node) (wrong, instead string) {
	switch node := node.(type) {
	case *ast.GoStmt:
		return "go statement in the deterministic core", "return an effect; the shell has the goroutines"
	case *ast.SelectStmt:
		return "select in the deterministic core", "take the value as an argument; the shell waits"
	case *ast.SelectorExpr:
		if from, name := selected(file.AST, node); from == "time" && readsClock(name) {
			return "time." + name + " in the deterministic core", "take now as an argument; arm a timer of the wheel"
		}
	case *ast.RangeStmt:
		line := repo.line(node.Pos())
		if overMap(file, info, node.X) && !file.marked("unordered", line, line-1) {
			return "range over a map in the deterministic core",
				"sort the keys first, or say why order cannot show: //nudge:unordered <reason>"
		}
	}
	return "", ""
}

// randomImports finds imports of random sources. hash/maphash is one: its seed differs in
// each process.
func randomImports(repo *Repo, file *GoFile) []Finding {
	random := []string{"math/rand", "math/rand/v2", "crypto/rand", "hash/maphash"}
	var findings []Finding
	for _, spec := range file.AST.Imports {
		if from, _ := strconv.Unquote(spec.Path.Value); slices.Contains(random, from) {
			findings = append(findings, repo.at(file, spec.Pos(),
				"import of "+from+" in the deterministic core", "derive it by a named hash from what the log holds"))
		}
	}
	return findings
}

// noSleepInTests finds tests that wait for a fixed time: on a fast machine they are slow,
// on a busy one they fail. Bubbles of testing/synctest are exempt, because their time is
// virtual; they are recognised by the name of the file.
func noSleepInTests(repo *Repo) []Finding {
	var findings []Finding
	for _, file := range repo.Go {
		if !file.isTest() || strings.HasSuffix(file.Path, "_synctest_test.go") {
			continue
		}
		ast.Inspect(file.AST, func(node ast.Node) bool {
			if selector, ok := node.(*ast.SelectorExpr); ok {
				if from, name := selected(file.AST, selector); from == "time" && name == "Sleep" {
					findings = append(findings, repo.at(file, node.Pos(), "test calls time.Sleep",
						"wait for the event itself, or move the test to a *_synctest_test.go file"))
				}
			}
			return true
		})
	}
	return findings
}

// readsClock reports whether a function of package time reads the clock or starts a timer.
func readsClock(name string) bool {
	switch name {
	case "Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick":
		return true
	}
	return false
}

// overMap reports whether a range over the expression follows the order of a map. It is
// false where the type is not known because it comes from another module.
func overMap(file *GoFile, info *types.Info, expr ast.Expr) bool {
	// The iterators of package maps have the order of the map.
	if call, ok := ast.Unparen(expr).(*ast.CallExpr); ok {
		from, name := selected(file.AST, call.Fun)
		if from == "maps" && (name == "All" || name == "Keys" || name == "Values") {
			return true
		}
	}
	return isMap(info.TypeOf(expr))
}

// selected resolves pkg.Name to the import path of pkg and the name; both are empty for any
// other expression. It looks at names only, so a local variable that hides an import is
// mistaken for it; then the variable should be renamed.
func selected(file *ast.File, expr ast.Expr) (from, name string) {
	if index, ok := expr.(*ast.IndexExpr); ok {
		expr = index.X // an instantiated function
	}
	selector, ok := expr.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	ident, ok := selector.X.(*ast.Ident)
	if !ok {
		return "", ""
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		// Without a name of its own an import is called by the end of its path. That is
		// wrong for a package whose name differs, such as go-yaml, none of which the rules
		// ask for.
		local := path.Base(imported)
		if spec.Name != nil {
			local = spec.Name.Name
		}
		if local == ident.Name {
			return imported, selector.Sel.Name
		}
	}
	return "", ""
}
