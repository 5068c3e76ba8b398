// Package trace answers why a customer did or did not get a message: it records the rules that a
// machine evaluates for that customer, at each record and timer, with the answer of each rule and the
// values that it compared.
//
// A Trace is given to a machine before a log is replayed; the machine writes to it, and the caller
// reads Steps afterwards. Recording changes no result, but it is slow, and the server never traces
// while it applies its log. trace.go has the data, facts.go how values are written and expressions are
// taken apart.
package trace
