package main

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var downloader = clitest.Command{Main: run}
