package ftpdriver

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// dual is a name that resolves to ::1 and to 127.0.0.1, in this order.
const dual = "dual.test"

// resolveDual makes it so until the test ends. Tests that use it are not parallel.
func resolveDual(t *testing.T) {
	t.Helper()
	before := net.DefaultResolver
	var wg sync.WaitGroup
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe() // no net.PacketConn: DNS over TCP is spoken (RFC 7766)
		wg.Go(func() { defer server.Close(); answerDNS(server) })
		return client, nil
	}}
	t.Cleanup(func() { net.DefaultResolver = before; wg.Wait() })
	addrs, err := net.DefaultResolver.LookupIPAddr(t.Context(), dual)
	if err != nil || len(addrs) != 2 || addrs[0].String() != "::1" || addrs[1].String() != "127.0.0.1" {
		t.Fatalf("%v, %v", addrs, err)
	}
}

// answerDNS answers questions for A and AAAA (RFC 1035 section 4).
func answerDNS(conn net.Conn) {
	for {
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		q := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, q); err != nil {
			return
		}
		end := 12
		for q[end] != 0 {
			end += int(q[end]) + 1
		}
		end += 5 // the root, type and class
		data := net.IPv6loopback
		switch kind := binary.BigEndian.Uint16(q[end-4:]); kind {
		case 1:
			data = net.IPv4(127, 0, 0, 1).To4()
		case 28:
		default:
			data = nil
		}
		a := append([]byte{}, q[0], q[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0)
		a = append(a, q[12:end]...)
		if data != nil {
			a[7] = 1
			a = append(a, 0xc0, 12)
			a = append(a, q[end-4:end]...)
			a = append(a, 0, 0, 0, 60, 0, byte(len(data)))
			a = append(a, data...)
		}
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(a))), a...)); err != nil {
			return
		}
	}
}

// A name with an address that is dead, or silent, does not keep the other from
// being used (RFC 8305); data connections go to that at once, and ask for no name.
func TestAddressesAreRaced(t *testing.T) {
	resolveDual(t)
	for _, silent := range []bool{false, true} {
		for _, own := range []bool{false, true} { // a dial function of the caller's
			t.Run(fmt.Sprintf("silent %v, own %v", silent, own), func(t *testing.T) {
				ep, f := startFake(t, transport.FTP, func(f *fake) {
					f.feat = []string{"MLST type*;"}
					f.on["MLSD"] = func(s *session, _ string) string { return s.send([]byte("type=file; f\r\n")) }
				})
				ep.Host = dual
				if silent {
					hole, err := faultproxy.ListenSYNHole(net.JoinHostPort("::1", fmt.Sprint(ep.Port)))
					if err != nil {
						t.Fatal(err)
					}
					defer hole.Close()
				}
				var mu sync.Mutex
				var dialled []string
				if own {
					ep.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
						mu.Lock()
						dialled = append(dialled, addr)
						mu.Unlock()
						return new(net.Dialer).DialContext(ctx, network, addr)
					}
				}
				begin := time.Now()
				c := dial(t, ep)
				for range 3 {
					n := 0
					if err := c.List(t.Context(), ".", func(transport.Entry) bool { n++; return true }); err != nil || n != 1 {
						t.Fatal(n, err)
					}
				}
				took := time.Since(begin)
				t.Log(took)
				// net.Dialer waits for 300 ms before it tries the other family; the
				// silent address alone would take all of the connect timeout.
				if took > ep.ConnectTimeout/3 || silent && took < 100*time.Millisecond {
					t.Errorf("it took %v", took)
				}
				if n := f.count("EPSV"); n != 3 {
					t.Errorf("%d EPSV", n)
				}
				mu.Lock()
				defer mu.Unlock()
				if !own {
					return
				}
				if len(dialled) != 4 || dialled[0] != ep.Addr() {
					t.Errorf("dialled %q", dialled)
				}
				for _, addr := range dialled[1:] {
					if !strings.HasPrefix(addr, "127.0.0.1:") {
						t.Errorf("a data connection was dialled to %q", addr)
					}
				}
			})
		}
	}
}
