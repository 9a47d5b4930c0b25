package faultproxy

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// acceptRetry is the wait after a failed accept, as in net/http.
const acceptRetry = 5 * time.Millisecond

// RouteOptions describes a route. Target is required.
type RouteOptions struct {
	Role   Role
	Listen string // address to listen on, default 127.0.0.1:0
	Target string // host:port to forward to
	Plan   Plan   // nil takes the proxy's
	Shape  *Shape // nil takes the proxy's
}

// Route is a listening port and where it leads. Its methods are safe for
// concurrent use.
type Route struct {
	proxy  *Proxy
	role   Role
	target string

	mu       sync.Mutex
	addr     *net.TCPAddr
	plan     Plan
	shape    Shape
	listener *net.TCPListener // nil while refusing
}

// Route opens a route; it accepts connections when this returns.
func (p *Proxy) Route(opts RouteOptions) (*Route, error) {
	r := p.newRoute(opts.Role, opts.Target, opts.Plan, opts.Shape)
	if opts.Listen == "" {
		opts.Listen = "127.0.0.1:0"
	}
	l, err := p.listen(opts.Listen)
	if err != nil {
		return nil, fmt.Errorf("faultproxy: %w", err)
	}
	r.addr, r.listener = l.Addr().(*net.TCPAddr), l
	p.run(func() { r.accept(l) })
	return r, nil
}

func (p *Proxy) newRoute(role Role, target string, plan Plan, shape *Shape) *Route {
	r := &Route{proxy: p, role: role, target: target, plan: plan, shape: p.opts.Shape}
	if plan == nil {
		r.plan = p.opts.Plan
	}
	if shape != nil {
		r.shape = *shape
	}
	return r
}

// accept serves one listener until it is closed.
func (r *Route) accept(l *net.TCPListener) {
	for {
		client, err := l.AcceptTCP()
		switch {
		case err == nil:
			r.proxy.admit(r, client, r.target)
		case errors.Is(err, net.ErrClosed):
			r.proxy.unlisten(l)
			return
		case !r.proxy.pause(acceptRetry): // no descriptors left, for now
			return
		}
	}
}

// Addr returns the address that clients connect to.
func (r *Route) Addr() *net.TCPAddr {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.addr
}

// Port returns the port of Addr.
func (r *Route) Port() int { return r.Addr().Port }

// SetPlan changes the plan for connections to come; nil means no faults.
func (r *Route) SetPlan(plan Plan) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plan = plan
}

// SetShape changes the shape for connections to come.
func (r *Route) SetShape(shape Shape) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shape = shape
}

// Refuse closes the port: clients get "connection refused" from the kernel.
// Living connections go on. For a port that accepts and then resets, see [Refused].
func (r *Route) Refuse() {
	r.mu.Lock()
	l := r.listener
	r.listener = nil
	r.mu.Unlock()
	if l != nil {
		r.proxy.unlisten(l)
	}
}

// Accept opens the port again after Refuse, at the same address. It fails when
// somebody has taken the port meanwhile.
func (r *Route) Accept() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.listener != nil {
		return nil
	}
	l, err := r.proxy.listen(r.addr.String())
	if err != nil {
		return fmt.Errorf("faultproxy: %w", err)
	}
	r.listener = l
	r.proxy.run(func() { r.accept(l) })
	return nil
}

// choose returns the fault and the shape of a new connection.
func (r *Route) choose(info ConnInfo) (Fault, Shape) {
	r.mu.Lock()
	plan, shape := r.plan, r.shape
	r.mu.Unlock()
	if plan == nil {
		return Fault{}, shape
	}
	return plan(info), shape
}

// liveLocked counts the route's living connections with proxy.mu held. One that
// is being turned away takes no place, however long its client stays.
func (r *Route) liveLocked() int {
	n := 0
	for c := range r.proxy.conns {
		if c.route == r && c.fault.Kind != Reply && c.fault.Kind != Refuse {
			n++
		}
	}
	return n
}
