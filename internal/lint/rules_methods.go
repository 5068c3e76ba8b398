package lint

import (
	"fmt"
	"go/ast"
	"go/types"
	"path"
)

// maxMethods bounds the methods of one type: with more, nobody knows which of them touch a field.
const maxMethods = 60

// methodsAllowed returns how many methods a type may have. An older type has more than maxMethods;
// its number is lowered when it shrinks, and no type is added.
func methodsAllowed(folder, name string) int {
	switch folder + "." + name {
	case "actors/shard.Shard":
		return 91
	}
	return maxMethods
}

// methodCount finds types of the product with too many methods, tests left out. The finding is at
// the first method beyond the limit.
func methodCount(repo *Repo) []Finding {
	type key struct{ folder, name string }
	counts := map[key]int{}
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
			of := key{folder, receiver(function)}
			counts[of]++
			if limit := methodsAllowed(of.folder, of.name); counts[of] == limit+1 {
				wrong := fmt.Sprintf("type %s has more than %d methods", of.name, limit)
				findings = append(findings, repo.at(file, function.Pos(), wrong, "give a part of it a type of its own"))
			}
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
	expr := function.Recv.List[0].Type
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

// The machine is made of parts: types that embed the context of an input.
const (
	machineFolder = "campaign/machine"
	machineShared = "turn"
	machineType   = "Machine"
)

// machineParts refuses that one part of the machine touches a field of another: it calls a method,
// so that what can change a field is in one place. What all parts see is in the shared type, whose
// fields are free.
func machineParts(repo *Repo) []Finding {
	checker := newTypeChecker(repo)
	info := checker.info(machineFolder)
	owners := partFields(checker.packages[machineFolder])
	findings := partsInOrder(repo, checker.packages[machineFolder])
	for _, file := range repo.Go {
		if path.Dir(file.Path) != machineFolder || file.isTest() {
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
// context is left out: its fields are free for all.
func partFields(machine *types.Package) map[types.Object]string {
	owners := map[types.Object]string{}
	if machine == nil {
		return owners
	}
	for _, name := range machine.Scope().Names() {
		of, ok := machine.Scope().Lookup(name).Type().Underlying().(*types.Struct)
		if !ok || !embeds(of, machineShared) {
			continue
		}
		for field := range of.Fields() {
			if !field.Embedded() {
				owners[field] = name
			}
		}
	}
	return owners
}

// embeds reports whether a struct embeds a type of that name, or a pointer to it.
func embeds(of *types.Struct, name string) bool {
	for field := range of.Fields() {
		if field.Embedded() && field.Name() == name {
			return true
		}
	}
	return false
}

// partsInOrder finds parts that have a pointer to one that comes after them in the fields of the
// machine: calls must go in one direction, so that a part can be understood with those before it.
func partsInOrder(repo *Repo, machine *types.Package) []Finding {
	var findings []Finding
	place := map[types.Type]int{}
	of, ok := structNamed(machine, machineType)
	if !ok {
		return nil
	}
	for i := range of.NumFields() {
		place[of.Field(i).Type()] = i
	}
	for i := range of.NumFields() {
		part, ok := of.Field(i).Type().Underlying().(*types.Struct)
		if !ok || of.Field(i).Embedded() {
			continue
		}
		for field := range part.Fields() {
			to, ok := field.Type().(*types.Pointer)
			if !ok || field.Embedded() {
				continue
			}
			if at, is := place[to.Elem()]; is && at >= i {
				position := repo.Fset.Position(field.Pos())
				findings = append(findings, Finding{
					Path: position.Filename, Line: position.Line,
					Wrong:   fmt.Sprintf("part %s reaches %s, which comes after it", of.Field(i).Name(), field.Name()),
					Instead: "let Machine call both",
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
