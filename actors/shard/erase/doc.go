// Package erase has the record that erases a customer, and the keyed hash by which a
// partition knows an erased customer again without keeping who it was.
package erase
