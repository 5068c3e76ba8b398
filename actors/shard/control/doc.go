// Package control has the control records: what a person or a program changes about a
// whole log, written once into the stream CTL and copied into every partition.
package control
