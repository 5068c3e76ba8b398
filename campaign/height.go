package campaign

import "github.com/google/cel-go/common/types/ref"

func literals(v ...ref.Val) []ref.Val { return v }
