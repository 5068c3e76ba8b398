// Package expr compiles and evaluates the expressions of definitions, which are written in CEL.
//
// An expression sees an event, the customer, a chain and its trigger event through a Scope. A
// predicate is taken apart into terms joined by &&: those that compare a field with a literal
// are answered without CEL, and an Index over the terms of many predicates finds those that can
// hold, or fail, for a scope. What an expression costs is bounded.
package expr
