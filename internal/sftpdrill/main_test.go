package sftpdrill

import (
	"os"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/memtemp"
)

func TestMain(m *testing.M) { os.Exit(memtemp.Tests(m).Run()) }
