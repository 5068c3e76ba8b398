// Package liquid parses and renders Liquid templates within fixed limits.
//
// It exists because a message is rendered with values that anybody can send: no template
// and no value may take the process down or hold it up. Every rendering has a budget of
// steps, bytes and time, asked before something is made and not after; see Limits. What
// exceeds it ends with a *LimitError.
//
// The parse tree is what is rendered and what Names reads, so the variables that a template
// is said to use are those that it does use.
//
// A variable that has no value and is not tested (if, unless, case, default, for with an
// else) ends the rendering with a *MissingError, so that no emptied message leaves.
package liquid
