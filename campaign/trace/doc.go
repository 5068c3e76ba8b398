// Package trace is the answer to why: which rules were evaluated for a customer, at each record
// and timer, with what each rule said and the values that it looked at.
package trace
