package ftpx_test

import (
	"os"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/testmain"
)

func TestMain(m *testing.M) { os.Exit(testmain.Parallel(testmain.InMemory(m), 8).Run()) }
