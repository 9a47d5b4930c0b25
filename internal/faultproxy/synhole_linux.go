package faultproxy

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

// SYNHole is a port that drops SYNs: connecting to it neither succeeds nor fails
// until the caller's time-out ends, as behind a firewall that drops packets.
type SYNHole struct {
	listener *net.TCPListener
	fillers  []net.Conn
}

// ListenSYNHole opens one on addr. It listens with the shortest backlog, never
// accepts, and fills the backlog; the kernel then ignores further SYNs. Linux
// only: elsewhere a full backlog refuses, and this returns errors.ErrUnsupported.
func ListenSYNHole(addr string) (*SYNHole, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("faultproxy: %w", err)
	}
	h := &SYNHole{listener: l.(*net.TCPListener)}
	if err := h.fill(); err != nil {
		return nil, errors.Join(fmt.Errorf("faultproxy: SYN hole: %w", err), h.Close())
	}
	return h, nil
}

// fill shortens the backlog, which listen(2) allows on a listening socket, and
// connects until a connect hangs.
func (h *SYNHole) fill() error {
	raw, err := h.listener.SyscallConn()
	if err != nil {
		return err
	}
	var listenErr error
	if err := raw.Control(func(fd uintptr) { listenErr = syscall.Listen(int(fd), 0) }); err != nil {
		return err
	}
	if listenErr != nil {
		return os.NewSyscallError("listen", listenErr)
	}
	const most = 64
	for range most {
		// A local connect that the kernel answers takes microseconds.
		conn, err := net.DialTimeout("tcp", h.listener.Addr().String(), 200*time.Millisecond)
		var netErr net.Error
		if errors.As(err, &netErr) && netErr.Timeout() {
			return nil
		}
		if err != nil {
			return err
		}
		h.fillers = append(h.fillers, conn)
	}
	return fmt.Errorf("the kernel took %d connections and the backlog is not full", most)
}

// Addr returns the address that leads nowhere.
func (h *SYNHole) Addr() *net.TCPAddr { return h.listener.Addr().(*net.TCPAddr) }

// Close closes the port.
func (h *SYNHole) Close() error {
	errs := []error{h.listener.Close()}
	for _, conn := range h.fillers {
		errs = append(errs, conn.Close())
	}
	return errors.Join(errs...)
}
