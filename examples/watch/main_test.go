package main

import (
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
)

func TestMain(m *testing.M) { clitest.ScriptMain(m, map[string]func(){"watch": main}) }

// TestScripts runs the command as its user would: exit codes and outputs.
func TestScripts(t *testing.T) { clitest.Scripts(t, "testdata") }
