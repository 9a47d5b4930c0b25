//go:build linux

package realserver

import (
	"bufio"
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"
)

// startLimit bounds the wait for a server to listen.
const startLimit = 20 * time.Second

// awaitListening waits until a socket listens on the address. It reads the
// kernel's table instead of connecting: a connection counts against
// MaxPerHost and MaxStartups, and the server may notice its end too late for
// the test that follows.
func awaitListening(ctx context.Context, addr netip.AddrPort, p *process) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	pause := time.Millisecond
	for {
		ok, err := listening(addr)
		if err != nil || ok {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-p.done:
			timer.Stop()
			return fmt.Errorf("ended at once: %v", p.err)
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("does not listen on %s: %w", addr, ctx.Err())
		case <-timer.C:
		}
		if pause < 50*time.Millisecond {
			pause *= 2
		}
	}
}

// listening reports whether some socket listens on exactly this address.
func listening(addr netip.AddrPort) (bool, error) {
	table := "/proc/net/tcp"
	if addr.Addr().Is6() {
		table = "/proc/net/tcp6"
	}
	f, err := os.Open(table)
	if err != nil {
		return false, err
	}
	defer f.Close()
	const stateListen = "0A"
	want := kernelAddr(addr)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		// sl local_address rem_address st ...
		fields := strings.Fields(lines.Text())
		if len(fields) > 3 && fields[1] == want && fields[3] == stateListen {
			return true, nil
		}
	}
	return false, nil
}

// kernelAddr writes an address as /proc/net/tcp does: each 32-bit word of it in
// the machine's byte order (little-endian on every machine these tests run on),
// then the port.
func kernelAddr(addr netip.AddrPort) string {
	raw := addr.Addr().AsSlice()
	var text strings.Builder
	for i := 0; i < len(raw); i += 4 {
		fmt.Fprintf(&text, "%02X%02X%02X%02X", raw[i+3], raw[i+2], raw[i+1], raw[i])
	}
	fmt.Fprintf(&text, ":%04X", addr.Port())
	return text.String()
}
