package turns

import (
	"flag"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed01fc2e40/go-ftpx/internal/testmain"
)

var update = flag.Bool("update", false, "write the golden files: numbers that have fallen and transcripts that have changed")

func TestMain(m *testing.M) { goleak.VerifyTestMain(testmain.Parallel(testmain.InMemory(m), 4)) }
