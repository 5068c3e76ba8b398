// Package extending shows what it takes to extend the engine. For each of five kinds of extension
// (a verb, a trigger, a channel, a reason, a column of the warehouse) testdata has a folder with one
// patch for each place that the extension touches; docs/extending.md walks through them.
//
// The tests want that the patches apply, that an extension touches no more files than its limit, and
// that the page names each of them. With NUDGE_EXTENDING=1 (make extending) they also plant each
// extension in a copy of the tree, where all must pass, and then leave out one place after the other,
// which a build or a test must notice.
//
// A patch begins with two lines: what the place is, and the arguments of the go command that fails
// when the place is forgotten.
package extending
