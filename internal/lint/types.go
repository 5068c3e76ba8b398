package lint

import (
	"errors"
	"go/ast"
	"go/types"
	"path"
	"strings"
)

// errForeign ends the import of a package that is not checked.
var errForeign = errors.New("lint: package of another module")

// typeChecker resolves types within the module and leaves everything else unresolved. To
// load the dependencies too would cost seconds and need a tree that builds.
type typeChecker struct {
	repo   *Repo
	module string
	// checked has the types of each directory that was checked.
	checked map[string]*types.Info
	// packages has the package of each directory; nil while it is being checked, which ends
	// import cycles.
	packages map[string]*types.Package
}

// newTypeChecker returns a checker for the packages of a repo, which are checked when they
// are first needed.
func newTypeChecker(repo *Repo) *typeChecker {
	return &typeChecker{
		repo: repo, module: modulePath(repo), checked: map[string]*types.Info{}, packages: map[string]*types.Package{},
	}
}

// info returns the types of the expressions in a directory, without its tests. A package
// with errors has types as far as they could be resolved.
func (c *typeChecker) info(dir string) *types.Info {
	// Also while the package is being checked: an import cycle ends here.
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

// Import implements [types.Importer] for the packages of the module.
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

// isMap reports whether values of the type are or may be maps. It is false for an unknown
// type (nil).
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

// constraintHasMap reports whether a map is among the terms of a constraint, as in
// ~map[K]V.
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
