// Package view shows a customer as people see it, in the API and in tools: state in
// words, instants as text, and the last decisions about the customer. It only reads;
// nothing is computed from a view.
package view
