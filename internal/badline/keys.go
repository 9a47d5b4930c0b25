//go:build linux

package main

import (
	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

func fingerprints(s *realserver.Server) []string {
	var prints []string
	for _, k := range s.HostKeys() {
		prints = append(prints, ssh.FingerprintSHA256(k))
	}
	return prints
}
