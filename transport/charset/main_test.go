package charset_test

import (
	"os"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/testmain"
)

func TestMain(m *testing.M) { os.Exit(testmain.InMemory(m).Run()) }
