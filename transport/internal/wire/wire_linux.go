package wire

import (
	"net"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// setUserTimeout bounds how long sent data may stay unacknowledged, and how
// long a peer may keep its window shut, before the kernel gives the connection
// up (RFC 5482; tcp(7)).
func setUserTimeout(c *net.TCPConn, d time.Duration) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(d.Milliseconds()))
	})
}

// acknowledged returns how many bytes the peer has acknowledged, or false where
// the kernel does not tell: tcpi_bytes_acked is of Linux 4.1, and gVisor leaves
// it 0.
func acknowledged(c *net.TCPConn) (int64, bool) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, false
	}
	var n int64
	_ = raw.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			n = int64(info.Bytes_acked)
		}
	})
	return n, n > 0
}

// unacknowledged returns how many bytes the kernel holds that the peer has not
// acknowledged, those of a Write under way included.
func unacknowledged(c *net.TCPConn) int64 {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}
	n := 0
	_ = raw.Control(func(fd uintptr) {
		if v, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ); err == nil {
			n = v
		}
	})
	return int64(n)
}

// tcpInfo asks the kernel. It is nil where that does not tell: gVisor fills in little, and
// counts no segments.
func tcpInfo(c *net.TCPConn) (i *transport.TCPInfo) {
	if c == nil {
		return nil
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return nil
	}
	_ = raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil || info.Segs_out == 0 {
			return
		}
		i = &transport.TCPInfo{
			Segments: int64(info.Segs_out), Retransmits: int64(info.Total_retrans), Unanswered: int(info.Retransmits),
			RoundTrip: time.Duration(info.Rtt) * time.Microsecond, RoundTripVar: time.Duration(info.Rttvar) * time.Microsecond,
		}
	})
	return i
}
