package lint

import (
	"errors"
	"go/ast"
	"go/types"
	"path"
	"strings"
)

var errForeign = errors.New("lint: package of another module")

// typeChecker resolves types within the module and shrugs at everything else.
// Loading the dependencies too would cost seconds and need a tree that builds.
type typeChecker struct {
	repo     *Repo
	module   string
	checked  map[string]*types.Info    // by directory
	packages map[string]*types.Package // by directory; nil while it is checked
}

func newTypeChecker(repo *Repo) *typeChecker {
	return &typeChecker{
		repo: repo, module: modulePath(repo), checked: map[string]*types.Info{}, packages: map[string]*types.Package{},
	}
}

// info holds the types of the expressions of a directory, tests left out.
func (c *typeChecker) info(dir string) *types.Info {
	if info := c.checked[dir]; info != nil {
		return info
	}
	var files []*ast.File
	for _, file := range c.repo.Go {
		if path.Dir(file.Path) == dir && !file.isTest() {
			files = append(files, file.AST)
		}
	}
	info := &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{},
		Defs:  map[*ast.Ident]types.Object{},
		Uses:  map[*ast.Ident]types.Object{},
	}
	c.checked[dir], c.packages[dir] = info, nil
	config := types.Config{
		Importer: c,
		Error:    func(error) {}, // foreign names are missing by design
	}
	// The package is usable in spite of the error.
	c.packages[dir], _ = config.Check(path.Join(c.module, dir), c.repo.Fset, files, info)
	return info
}

// Import implements [types.Importer].
func (c *typeChecker) Import(imported string) (*types.Package, error) {
	dir, ok := strings.CutPrefix(imported, c.module+"/")
	if !ok {
		return nil, errForeign
	}
	c.info(dir)
	if pkg := c.packages[dir]; pkg != nil {
		return pkg, nil
	}
	return nil, errForeign // an import cycle, which the compiler reports
}

// isMap reports whether values of the type may be maps.
func isMap(t types.Type) bool {
	if t == nil {
		return false
	}
	if _, ok := t.Underlying().(*types.Map); ok {
		return true
	}
	param, ok := types.Unalias(t).(*types.TypeParam)
	return ok && constraintHasMap(param.Constraint())
}

// constraintHasMap looks for a map among the terms, as in ~map[K]V.
func constraintHasMap(constraint types.Type) bool {
	set, ok := constraint.Underlying().(*types.Interface)
	if !ok {
		return false
	}
	for embedded := range set.EmbeddedTypes() {
		switch embedded := embedded.(type) {
		case *types.Union:
			for term := range embedded.Terms() {
				if isMap(term.Type()) {
					return true
				}
			}
		default:
			if isMap(embedded) {
				return true
			}
		}
	}
	return false
}
