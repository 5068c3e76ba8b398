// Package faults breaks a running nudge from outside, with real processes, real
// files and a real file system, and checks from outside that its promise held.
// Everything is in its tests; `make faults` runs them and writes report.md.
package faults
