//go:build linux

package realserver

import (
	"net"
	"net/netip"
	"strconv"
	"testing"
)

func TestPortBlocksDoNotOverlap(t *testing.T) {
	folder := t.TempDir()
	reserve := func() *portBlock {
		t.Helper()
		b, err := reservePorts(folder, "127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.release)
		return b
	}
	a, b := reserve(), reserve()
	if a.passiveHi >= b.control && b.passiveHi >= a.control {
		t.Fatalf("%+v and %+v overlap", a, b)
	}
	if a.passiveLo <= a.control || a.passiveHi < a.passiveLo {
		t.Errorf("%+v is no block", a)
	}
	a.release()
	if again := reserve(); again.control != a.control {
		t.Errorf("port %d after %d was given back", again.control, a.control)
	}
}

func TestPortBlocksAvoidStrangers(t *testing.T) {
	folder := t.TempDir()
	a, err := reservePorts(folder, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(a.passiveHi)))
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	a.release()
	b, err := reservePorts(folder, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	defer b.release()
	if b.control == a.control {
		t.Errorf("the block at %d was given out with port %d in use", b.control, a.passiveHi)
	}
}

func TestListeningSeesListenersOnly(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "127.0.0.2", "::1"} {
		t.Run(host, func(t *testing.T) {
			l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
			if err != nil {
				if host != "::1" {
					t.Fatal(err)
				}
				t.Skip(err) // no IPv6 here
			}
			addr := netip.MustParseAddrPort(l.Addr().String())
			if ok, err := listening(addr); !ok || err != nil {
				t.Errorf("listening(%s) = %v, %v while it listens", addr, ok, err)
			}
			l.Close()
			if ok, err := listening(addr); ok || err != nil {
				t.Errorf("listening(%s) = %v, %v after it closed", addr, ok, err)
			}
		})
	}
}
