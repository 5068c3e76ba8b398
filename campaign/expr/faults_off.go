//go:build !faults

package expr

import "github.com/google/cel-go/cel"

// faults are functions that only a program built to be broken has.
func faults() []cel.EnvOption { return nil }
