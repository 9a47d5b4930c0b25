package doctor

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// countsOf reads TCP_INFO (tcp(7)).
func countsOf(conn net.Conn) (tcpCounts, bool) {
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return tcpCounts{}, false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return tcpCounts{}, false
	}
	var c tcpCounts
	got := false
	err = raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			return
		}
		got = true
		c = tcpCounts{sent: info.Segs_out, resent: info.Total_retrans}
	})
	return c, err == nil && got
}

// smallSegments makes a socket send and ask for segments of at most n bytes, before it
// connects. Packets of that size pass where full ones are lost.
func smallSegments(n int) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		var set error
		if err := c.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, n) }); err != nil {
			return err
		}
		return set
	}
}
