package faultproxy

import (
	"fmt"
	"net"
	"strconv"
	"time"
)

// PassiveOptions configures [Proxy.PassivePorts]. The zero value is for servers
// and clients on 127.0.0.1.
type PassiveOptions struct {
	// ListenIP is where clients connect: the address by which they reached the
	// control connection. Default 127.0.0.1.
	ListenIP string
	// TargetIP is where the server listens. Default 127.0.0.1.
	TargetIP string
	Plan     Plan   // nil takes the proxy's
	Shape    *Shape // nil takes the proxy's
	// Lifetime bounds how long a port waits for its client, default 30 s.
	Lifetime time.Duration
	// Conns is how many connections one port takes, default 1.
	Conns int
}

// PassivePorts hands out pairs of ports for passive data connections: one for the
// server to listen on and one to announce, on which the proxy listens. It is an
// ftpserverlib PasvPortGetter. Since the server announces the proxy's port by
// itself, nothing has to be rewritten and the control connection may be encrypted.
type PassivePorts struct {
	proxy *Proxy
	route *Route
	opts  PassiveOptions
}

// PassivePorts returns a port getter for one server or several.
func (p *Proxy) PassivePorts(opts PassiveOptions) *PassivePorts {
	if opts.ListenIP == "" {
		opts.ListenIP = "127.0.0.1"
	}
	if opts.TargetIP == "" {
		opts.TargetIP = "127.0.0.1"
	}
	if opts.Lifetime == 0 {
		opts.Lifetime = 30 * time.Second
	}
	if opts.Conns == 0 {
		opts.Conns = 1
	}
	return &PassivePorts{proxy: p, route: p.newRoute(Data, "", opts.Plan, opts.Shape), opts: opts}
}

// SetPlan changes the plan for data connections to come; nil means no faults.
func (pp *PassivePorts) SetPlan(plan Plan) { pp.route.SetPlan(plan) }

// SetShape changes the shape for data connections to come.
func (pp *PassivePorts) SetShape(shape Shape) { pp.route.SetShape(shape) }

// NumberAttempts is part of ftpserver.PasvPortGetter: how often the server may ask
// when it cannot listen on the port that it was given.
func (pp *PassivePorts) NumberAttempts() int { return 10 }

// FetchNext is part of ftpserver.PasvPortGetter. The server's port was free a
// moment ago and is not reserved: nothing portable could. If somebody takes it
// first, the server asks again and the announced port expires unused.
func (pp *PassivePorts) FetchNext() (exposed, listened int, ok bool) {
	listened, err := freePort()
	if err != nil {
		return 0, 0, false
	}
	l, err := pp.proxy.listen(net.JoinHostPort(pp.opts.ListenIP, "0"))
	if err != nil {
		return 0, 0, false
	}
	target := net.JoinHostPort(pp.opts.TargetIP, strconv.Itoa(listened))
	if !pp.proxy.run(func() { pp.accept(l, target) }) {
		pp.proxy.unlisten(l)
		return 0, 0, false
	}
	return l.Addr().(*net.TCPAddr).Port, listened, true
}

// accept serves one announced port.
func (pp *PassivePorts) accept(l *net.TCPListener, target string) {
	defer pp.proxy.unlisten(l)
	_ = l.SetDeadline(time.Now().Add(pp.opts.Lifetime))
	for range pp.opts.Conns {
		client, err := l.AcceptTCP()
		if err != nil {
			return // expired or closed
		}
		pp.proxy.admit(pp.route, client, target)
	}
}

// freePort finds a port that is free on all addresses, since that is where
// ftpserverlib listens.
func freePort() (int, error) {
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}

// MirrorRange opens routes with role Data from listenIP to targetIP on every port
// from low to high, the passive range of a real server: with the control
// connection behind a route on listenIP as well, a client that ignores the address
// in the PASV reply comes through the proxy. On Linux and Windows every 127.x.y.z
// is there; macOS has to be given 127.0.0.2 first (ifconfig lo0 alias).
//
// On an error nothing stays open.
func (p *Proxy) MirrorRange(listenIP, targetIP string, low, high int, plan Plan) ([]*Route, error) {
	var opened []*Route
	for port := low; port <= high; port++ {
		text := strconv.Itoa(port)
		r, err := p.Route(RouteOptions{
			Role: Data, Plan: plan,
			Listen: net.JoinHostPort(listenIP, text),
			Target: net.JoinHostPort(targetIP, text),
		})
		if err != nil {
			for _, r := range opened {
				r.Refuse()
			}
			return nil, fmt.Errorf("mirror port %d: %w", port, err)
		}
		opened = append(opened, r)
	}
	return opened, nil
}
