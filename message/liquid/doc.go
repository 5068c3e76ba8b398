// Package liquid parses and renders Liquid templates within fixed limits.
//
// It exists because a message is rendered with values that anyone can send (ADR 18):
// neither a template nor a value may end the process or keep it busy. Every rendering has a
// budget of steps, bytes and time, which is charged before something is made and not after;
// limits.go has the numbers. A rendering that exceeds the budget ends with a *LimitError.
//
// Templates are parsed to a tree (scan.go cuts the text into tokens, parse.go and
// parse_tags.go make nodes of them, lex.go and expr.go read expressions). The same tree is
// rendered (render.go, loops.go, eval.go, filters*.go) and searched for variables
// (names.go), so that a template uses exactly the variables that it is said to use.
//
// A variable that has no value and is not tested (by if, unless, case, default, or a for
// with an else) ends the rendering with a *MissingError, so that no message with a hole in
// it leaves.
//
// A Template is safe for concurrent use; a rendering is one goroutine's.
package liquid
