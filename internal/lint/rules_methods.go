package lint

import (
	"fmt"
	"go/ast"
	"go/types"
	"path"
)

// maxMethods bounds the methods of one type: with more, nobody knows which of them touch a field.
const maxMethods = 60

// methodCount finds types of the product with too many methods, tests left out. The finding is at
// the first method beyond the limit. Methods of types of its package that a type embeds count too:
// they are called as its own.
func methodCount(repo *Repo) []Finding {
	counts := map[typeName]int{}
	var findings []Finding
	for _, file := range repo.Go { // sorted: the finding is at the method that goes beyond
		folder := path.Dir(file.Path)
		if _, none := limitOf(folder); none || file.isTest() {
			continue
		}
		for _, decl := range file.AST.Decls {
			function, ok := decl.(*ast.FuncDecl)
			if !ok || receiver(function) == "" {
				continue
			}
			of := typeName{folder, receiver(function)}
			counts[of]++
			if counts[of] == maxMethods+1 {
				wrong := fmt.Sprintf("type %s has more than %d methods", of.name, maxMethods)
				findings = append(findings, repo.at(file, function.Pos(), wrong, "give a part of it a type of its own"))
			}
		}
	}
	return append(findings, embeddedMethods(repo, counts)...)
}

// typeName is a type of the package in a folder.
type typeName struct{ folder, name string }

// embeddedMethods finds types that have too many methods only with those they embed.
func embeddedMethods(repo *Repo, own map[typeName]int) []Finding {
	embedded, places := map[typeName][]typeName{}, map[typeName]Finding{}
	var order []typeName
	for _, file := range repo.Go {
		folder := path.Dir(file.Path)
		ast.Inspect(file.AST, func(node ast.Node) bool {
			spec, ok := node.(*ast.TypeSpec)
			if !ok || file.isTest() {
				return true
			}
			if of, ok := spec.Type.(*ast.StructType); ok {
				name := typeName{folder, spec.Name.Name}
				for _, field := range of.Fields.List {
					if inner := typeIn(field.Type); len(field.Names) == 0 && inner != "" {
						embedded[name] = append(embedded[name], typeName{folder, inner})
					}
				}
				order = append(order, name)
				places[name] = repo.at(file, spec.Pos(),
					fmt.Sprintf("type %s has more than %d methods with those it embeds", name.name, maxMethods),
					"hold a part of it in a field with a name")
			}
			return true
		})
	}
	total := func(name typeName) int {
		n, seen, left := 0, map[typeName]bool{}, []typeName{name}
		for len(left) > 0 {
			name, left = left[0], left[1:]
			if !seen[name] {
				seen[name] = true
				n, left = n+own[name], append(left, embedded[name]...)
			}
		}
		return n
	}
	var findings []Finding
	for _, name := range order {
		_, none := limitOf(name.folder)
		if !none && own[name] <= maxMethods && own[name] > 0 && total(name) > maxMethods {
			findings = append(findings, places[name])
		}
	}
	return findings
}

// receiver returns the name of the type that a function is a method of, without pointer and type
// parameters; empty for other functions.
func receiver(function *ast.FuncDecl) string {
	if function.Recv == nil || len(function.Recv.List) == 0 {
		return ""
	}
	return typeIn(function.Recv.List[0].Type)
}

// typeIn is the name of the type of its package that an expression is, or points to; empty for others.
func typeIn(expr ast.Expr) string {
	for {
		switch of := expr.(type) {
		case *ast.StarExpr:
			expr = of.X
		case *ast.ParenExpr:
			expr = of.X
		case *ast.IndexExpr:
			expr = of.X
		case *ast.IndexListExpr:
			expr = of.X
		case *ast.Ident:
			return of.Name
		default:
			return ""
		}
	}
}

// whole is a type that is made of parts: those of its fields whose types are structs of its package
// that are not exported. For example, field sends of Machine is a part. What all parts see is in the
// shared type, which they embed.
type whole struct{ folder, shared, name string }

// wholes are the types that are made of parts.
func wholes() []whole {
	return []whole{
		{"campaign/machine", "turn", "Machine"},
		{"actors/shard", "partition", "Shard"},
	}
}

// parts finds where one part of a whole touches a field of another, or has a way to a later one. It
// should call a method instead, so that what can change a field is in one place.
func parts(repo *Repo) []Finding {
	checker := newTypeChecker(repo)
	var findings []Finding
	for _, w := range wholes() {
		info := checker.info(w.folder)
		pkg := checker.packages[w.folder]
		findings = append(findings, partsInOrder(repo, pkg, w)...)
		findings = append(findings, touched(repo, info, partFields(pkg, w), w)...)
	}
	return findings
}

// touched finds the fields of parts that others than their part touch. owners says whose a field is.
func touched(repo *Repo, info *types.Info, owners map[types.Object]string, w whole) []Finding {
	var findings []Finding
	for _, file := range repo.Go {
		if path.Dir(file.Path) != w.folder || file.isTest() {
			continue
		}
		for _, decl := range file.AST.Decls {
			from := ""
			if function, ok := decl.(*ast.FuncDecl); ok {
				from = receiver(function)
			}
			ast.Inspect(decl, func(node ast.Node) bool {
				selector, ok := node.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				// A method is in Uses too, but is no field of a part.
				if owner := owners[info.Uses[selector.Sel]]; owner != "" && owner != from {
					findings = append(findings, repo.at(file, selector.Sel.Pos(),
						fmt.Sprintf("field %s of %s is touched outside of its methods", selector.Sel.Name, owner),
						"call a method of "+owner))
				}
				return true
			})
		}
	}
	return findings
}

// partFields returns the fields of the parts, each with the name of its part. The embedded shared
// type is left out: its fields are free for all.
func partFields(pkg *types.Package, w whole) map[types.Object]string {
	owners := map[types.Object]string{}
	of, ok := structNamed(pkg, w.name)
	if !ok {
		return owners
	}
	for field := range of.Fields() {
		name, part, ok := partOf(pkg, field)
		if !ok {
			continue
		}
		for own := range part.Fields() {
			if !own.Embedded() {
				owners[own] = name
			}
		}
	}
	return owners
}

// partOf returns the part that a field of the whole is; ok is false when it is none.
func partOf(pkg *types.Package, field *types.Var) (name string, part *types.Struct, ok bool) {
	named, ok := field.Type().(*types.Named)
	if !ok || field.Embedded() || named.Obj().Pkg() != pkg || named.Obj().Exported() {
		return "", nil, false
	}
	part, ok = named.Underlying().(*types.Struct)
	return named.Obj().Name(), part, ok
}

// partsInOrder finds parts that have a pointer to one that comes after them in the fields of the
// whole, or to the whole, which is a way to all: calls must go in one direction, so that a part can be
// understood with those before it.
func partsInOrder(repo *Repo, pkg *types.Package, w whole) []Finding {
	of, ok := structNamed(pkg, w.name)
	if !ok {
		return nil
	}
	place := map[types.Type]int{pkg.Scope().Lookup(w.name).Type(): of.NumFields()}
	for i := range of.NumFields() {
		place[of.Field(i).Type()] = i
	}
	var findings []Finding
	for i := range of.NumFields() {
		_, part, ok := partOf(pkg, of.Field(i))
		if !ok {
			continue
		}
		for field := range part.Fields() {
			to, ok := field.Type().(*types.Pointer)
			if !ok || field.Embedded() && field.Name() == w.shared {
				continue
			}
			if at, is := place[to.Elem()]; is && at >= i {
				position := repo.Fset.Position(field.Pos())
				findings = append(findings, Finding{
					Path: position.Filename, Line: position.Line,
					Wrong:   fmt.Sprintf("part %s reaches %s, which comes after it", of.Field(i).Name(), field.Name()),
					Instead: "let " + w.name + " call both",
				})
			}
		}
	}
	return findings
}

// structNamed returns a struct type of a package by its name; ok is false when there is none.
func structNamed(pkg *types.Package, name string) (of *types.Struct, ok bool) {
	if pkg == nil || pkg.Scope().Lookup(name) == nil {
		return nil, false
	}
	of, ok = pkg.Scope().Lookup(name).Type().Underlying().(*types.Struct)
	return of, ok
}
