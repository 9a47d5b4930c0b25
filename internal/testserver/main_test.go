package testserver_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/seed01fc2e40/go-ftpx/internal/testmain"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testmain.InMemory(m)) }
