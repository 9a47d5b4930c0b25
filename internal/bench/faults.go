//go:build linux

package main

import (
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

const (
	// resetRate is the share of the mebibytes that meet a reset.
	resetRate = 0.127
	// faulty is the address of the fault proxy, between the line and the server.
	faulty = "127.0.0.3"
	// grace is how long the receiver has to read what has arrived before a reset.
	grace = 3 * time.Millisecond
)

// faults resets the connections that carry payload: a share of the mebibytes of
// each meets one. They are the same in each run that begins with the same seed, as
// far as the connections come in the same order.
type faults struct {
	proxy *faultproxy.Proxy
	addr  string

	mu  sync.Mutex
	rnd *rand.Rand
}

// newFaults puts faults before a server, behind a line of a rate. What comes from the
// server goes no faster than that, or megabytes that count as carried would wait in
// kernels and be lost with the reset: the line would be worse than it says.
func newFaults(srv *realserver.Server, proto ftpx.Protocol, rate int64) (f *faults, err error) {
	f = &faults{proxy: faultproxy.New(faultproxy.Options{DownRate: rate})}
	f.restart(0)
	o := faultproxy.RouteOptions{Role: faultproxy.Control, Listen: faulty + ":0", Target: srv.Addr()}
	if proto == ftpx.SFTP {
		o.Role, o.Plan = faultproxy.SSH, f.plan
	} else if _, err := f.proxy.MirrorRange(faulty, srv.Host, srv.PassiveLo, srv.PassiveHi, f.plan); err != nil {
		f.proxy.Close()
		return nil, err
	}
	route, err := f.proxy.Route(o)
	if err != nil {
		f.proxy.Close()
		return nil, err
	}
	f.addr = route.Addr().String()
	return f, nil
}

// restart begins the draws again.
func (f *faults) restart(seed uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rnd = rand.New(rand.NewPCG(seed, 127))
}

// plan draws how many mebibytes a connection carries and where in the next one it
// is reset.
func (f *faults) plan(faultproxy.ConnInfo) faultproxy.Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := int64(math.Log(1-f.rnd.Float64()) / math.Log(1-resetRate))
	fault := faultproxy.ResetAt(faultproxy.Both, n*mib+f.rnd.Int64N(mib)+4096)
	fault.Grace = grace
	return fault
}
