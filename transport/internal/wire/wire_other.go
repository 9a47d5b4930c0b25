//go:build !linux

package wire

import (
	"net"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

func setUserTimeout(*net.TCPConn, time.Duration) {}

func acknowledged(*net.TCPConn) (int64, bool) { return 0, false }

func unacknowledged(*net.TCPConn) int64 { return 0 }

func tcpInfo(*net.TCPConn) *transport.TCPInfo { return nil }
