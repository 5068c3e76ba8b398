// Package erase defines the record that erases a customer, and the keyed hash by which a
// partition recognises an erased customer without keeping who it was.
package erase
