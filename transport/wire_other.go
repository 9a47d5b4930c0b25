//go:build !linux

package transport

import (
	"net"
	"time"
)

func setUserTimeout(*net.TCPConn, time.Duration) {}

func acknowledged(*net.TCPConn) (int64, bool) { return 0, false }

func unacknowledged(*net.TCPConn) int64 { return 0 }

func (*TCPInfo) read(*net.TCPConn) bool { return false }
