//go:build linux && realserver

package main

import (
	"context"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// TestReal is the short form of the drill.
func TestReal(t *testing.T) {
	realtest.Require(t, realserver.OpenSSH, realserver.VSFTPD, realserver.ProFTPD)
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	if err := (&drill{jobs: 200, largest: 4 << 20, seed: 1, every: 4 * time.Second}).run(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestClusterReal: three nats-server processes, each killed once.
func TestClusterReal(t *testing.T) {
	realtest.Require(t, realserver.OpenSSH)
	if err := (&drill{seed: 1}).cluster(t.Context()); err != nil {
		t.Fatal(err)
	}
}
