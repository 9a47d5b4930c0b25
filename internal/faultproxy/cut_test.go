package faultproxy_test

import (
	"io"
	"net"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
)

func TestCut(t *testing.T) {
	p := newProxy(t, faultproxy.Options{})
	target := serve(t, echo)
	control := newRoute(t, p, faultproxy.RouteOptions{Role: faultproxy.Control, Target: target})
	data := newRoute(t, p, faultproxy.RouteOptions{Role: faultproxy.Data, Target: target})
	a, b := dial(t, control), dial(t, data)
	for _, conn := range []*net.TCPConn{a, b} {
		if got, err := ask(t, conn, "x"); err != nil || got != "x" {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if n := p.Cut(faultproxy.Reset, faultproxy.Control); n != 1 {
		t.Errorf("cut %d connections, want 1", n)
	}
	if _, err := a.Read(make([]byte, 1)); !isReset(err) {
		t.Errorf("control: %v, want a reset", err)
	}
	if n := p.Cut(faultproxy.Stall); n == 0 {
		t.Error("nothing to stall")
	}
	_, _ = io.WriteString(b, "y")
	if !silent(b) {
		t.Error("the stalled connection speaks")
	}
	p.Lift()
	if _, err := io.ReadFull(b, make([]byte, 1)); err != nil {
		t.Error(err)
	}
	p.Cut(faultproxy.FIN, faultproxy.Data)
	if _, err := b.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("data: %v, want EOF", err)
	}
}

// Closing must not wait for what is stalled, held or half closed.
func TestCloseEndsEverything(t *testing.T) {
	p, r := through(t, serve(t, echo), nil)
	var conns []*net.TCPConn
	for _, fault := range []faultproxy.Fault{
		{}, faultproxy.BlackHoled(), {Kind: faultproxy.Stall}, {Kind: faultproxy.FIN},
		{Kind: faultproxy.Reset, Sides: faultproxy.ServerSide},
	} {
		r.SetPlan(faultproxy.Always(fault))
		conn := dial(t, r)
		_, _ = conn.Write([]byte("x"))
		conns = append(conns, conn)
	}
	eventually(t, "all are there", func() bool { return p.Stats().Conns == int64(len(conns)) })
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	for i, conn := range conns {
		if _, err := io.Copy(io.Discard, conn); err != nil && !isReset(err) {
			t.Errorf("connection %d: %v, want its end", i, err)
		}
	}
	if _, err := p.Route(faultproxy.RouteOptions{Target: "127.0.0.1:1"}); err == nil {
		t.Error("a route on a closed proxy")
	}
	if _, _, ok := p.PassivePorts(faultproxy.PassiveOptions{}).FetchNext(); ok {
		t.Error("ports of a closed proxy")
	}
}
