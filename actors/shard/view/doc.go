// Package view shows a customer as people see it: state in words and text times, with the
// last decisions about them.
package view
