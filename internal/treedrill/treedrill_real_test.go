//go:build linux && realserver

package main

import (
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// TestReal: what TestEmbedded shows, on OpenSSH, vsftpd and ProFTPD.
func TestReal(t *testing.T) {
	realtest.Require(t, realserver.OpenSSH, realserver.VSFTPD, realserver.ProFTPD)
	var out strings.Builder
	err := drill(t.Context(), &out, 2000, 1, "", startReal)
	t.Log("\n" + out.String())
	if err != nil {
		t.Fatal(err)
	}
}
