//go:build !linux

package transport

import (
	"net"
	"time"
)

func setUserTimeout(*net.TCPConn, time.Duration) {}

func unacknowledged(*net.TCPConn) int64 { return 0 }
