//go:build !linux

package faultproxy

import (
	"errors"
	"fmt"
	"net"
)

// SYNHole is a port that drops SYNs. It exists on Linux only.
type SYNHole struct{}

// ListenSYNHole returns errors.ErrUnsupported: on this system a full backlog does
// not drop SYNs dependably.
func ListenSYNHole(string) (*SYNHole, error) {
	return nil, fmt.Errorf("faultproxy: SYN hole: %w", errors.ErrUnsupported)
}

// Addr returns nil.
func (h *SYNHole) Addr() *net.TCPAddr { return nil }

// Close does nothing.
func (h *SYNHole) Close() error { return nil }
