package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/nudge-engine/nudge/internal/plainenv"
)

func TestMain(m *testing.M) {
	if err := plainenv.Clear(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
