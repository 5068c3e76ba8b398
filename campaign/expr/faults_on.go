//go:build faults

package expr

import (
	"os"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// faults are the functions with which the fault harness breaks a server from inside a
// campaign: crash(text) ends the process where text begins with "crash", and panics
// where it begins with "panic".
func faults() []cel.EnvOption {
	crash := func(arg ref.Val) ref.Val {
		switch text := string(arg.(types.String)); {
		case strings.HasPrefix(text, "crash"):
			os.Exit(3)
		case strings.HasPrefix(text, "panic"):
			panic(text)
		}
		return types.True
	}
	return []cel.EnvOption{cel.Function("crash", cel.Overload("crash_string", []*cel.Type{cel.StringType},
		cel.BoolType, cel.UnaryBinding(crash)))}
}
