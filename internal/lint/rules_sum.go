package lint

import (
	"go/ast"
	"go/types"
	"path"
	"slices"
	"strings"
)

// sumMark marks an interface whose kinds are all known, as gochecksumtype reads it too.
const sumMark = "//sumtype:decl"

// sumTypes refuses a type switch over a marked interface that leaves out a kind: who adds one would
// not be told of the place. A default hides the same, so there must be none. For example, a new
// kind of trigger fails at each switch over program.Trigger until it says what it does with the
// kind.
func sumTypes(repo *Repo) []Finding {
	checker := newTypeChecker(repo)
	kinds := map[*types.TypeName][]string{}
	for _, file := range repo.Go {
		if !file.isTest() {
			markedSums(checker, file, kinds)
		}
	}
	var findings []Finding
	for _, file := range repo.Go {
		if file.isTest() || len(kinds) == 0 {
			continue
		}
		info := checker.info(path.Dir(file.Path))
		ast.Inspect(file.AST, func(node ast.Node) bool {
			if s, ok := node.(*ast.TypeSwitchStmt); ok {
				if missing := unnamed(info, s, kinds); missing != "" {
					findings = append(findings, repo.at(file, s.Pos(),
						"type switch over a sum type leaves out "+missing, "name each kind, and no default"))
				}
			}
			return true
		})
	}
	return findings
}

// markedSums notes the names of the kinds of each marked interface of a file, sorted.
func markedSums(checker *typeChecker, file *GoFile, kinds map[*types.TypeName][]string) {
	if !strings.Contains(file.Source, sumMark) {
		return
	}
	info := checker.info(path.Dir(file.Path))
	for _, decl := range file.AST.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Doc == nil || !slices.ContainsFunc(group.Doc.List, func(c *ast.Comment) bool {
			return strings.TrimSpace(c.Text) == sumMark
		}) {
			continue
		}
		for _, spec := range group.Specs {
			if spec, ok := spec.(*ast.TypeSpec); ok {
				if name, ok := info.Defs[spec.Name].(*types.TypeName); ok {
					kinds[name] = kindsOf(name)
				}
			}
		}
	}
}

// kindsOf returns the names of the types that implement an interface, sorted. Only its own package
// is searched: a kind elsewhere is not part of the sum.
func kindsOf(name *types.TypeName) []string {
	of, ok := name.Type().Underlying().(*types.Interface)
	if !ok {
		return nil
	}
	var all []string
	scope := name.Pkg().Scope()
	for _, other := range scope.Names() {
		t, ok := scope.Lookup(other).(*types.TypeName)
		if !ok || types.IsInterface(t.Type()) {
			continue
		}
		if types.Implements(t.Type(), of) || types.Implements(types.NewPointer(t.Type()), of) {
			all = append(all, other)
		}
	}
	return all
}

// unnamed returns which kinds a type switch leaves out, separated by commas; empty where it leaves
// out none, or is over something else.
func unnamed(info *types.Info, s *ast.TypeSwitchStmt, kinds map[*types.TypeName][]string) string {
	named, ok := info.TypeOf(switched(s)).(*types.Named)
	if !ok {
		return ""
	}
	all, ok := kinds[named.Obj()]
	if !ok {
		return ""
	}
	missing := slices.Clone(all)
	for _, clause := range s.Body.List {
		clause, ok := clause.(*ast.CaseClause)
		if !ok {
			continue
		}
		// A default is a clause without expressions.
		if clause.List == nil {
			return "what its default hides"
		}
		for _, expr := range clause.List {
			t := info.TypeOf(expr)
			// Kinds are usually implemented by pointers.
			if p, ok := t.(*types.Pointer); ok {
				t = p.Elem()
			}
			if t, ok := t.(*types.Named); ok {
				missing = slices.DeleteFunc(missing, func(kind string) bool { return kind == t.Obj().Name() })
			}
		}
	}
	return strings.Join(missing, ", ")
}

// switched returns the x of switch x.(type) and of switch v := x.(type).
func switched(s *ast.TypeSwitchStmt) ast.Expr {
	var expr ast.Expr
	switch assign := s.Assign.(type) {
	case *ast.ExprStmt:
		expr = assign.X
	case *ast.AssignStmt:
		expr = assign.Rhs[0]
	}
	if assertion, ok := expr.(*ast.TypeAssertExpr); ok {
		return assertion.X
	}
	return expr
}
