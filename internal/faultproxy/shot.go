package faultproxy

import "sync/atomic"

// Target says which operation [Proxy.Arm] breaks.
//
// An operation is a chunk that the proxy is about to forward, the end of a
// stream that it is about to pass on, or, with Opens, a connection that it has
// accepted. They are counted over all connections together in the order in which
// the proxy comes to them.
type Target struct {
	Op    int64  // number of the operation since arming, from 0
	Roles []Role // connections that count; all if empty
	Dir   Dir    // direction that counts
	Opens bool   // whether accepting a connection counts
}

// Shot is an armed fault. Its methods are safe for concurrent use.
type Shot struct {
	proxy  *Proxy
	target Target
	roles  [roles]bool
	fault  Fault

	seen  int64 // guarded by proxy.shotMu
	fired atomic.Bool
}

// Arm makes fault happen to the connection whose operation is number target.Op.
// Fault.When is not used, Fault.Part is. It acts on living connections too.
// Refuse, Reply and BlackHole belong to the opening of a connection
// (Target.Opens); on a later operation they reset, do nothing, and stall.
//
//	for op := int64(0); ; op++ {
//		shot := proxy.Arm(faultproxy.Target{Op: op}, faultproxy.Fault{Kind: faultproxy.Reset})
//		transfer()
//		shot.Disarm()
//		if !shot.Fired() {
//			break // the transfer has fewer operations than op
//		}
//	}
//
// With LoseReply, an operation that goes up is forwarded and the answer to it is
// lost; one that goes down is lost itself. Several shots may be armed together:
// that is how pairs of faults are made.
func (p *Proxy) Arm(target Target, fault Fault) *Shot {
	s := &Shot{proxy: p, target: target, fault: fault}
	for i := range s.roles {
		s.roles[i] = len(target.Roles) == 0
	}
	for _, role := range target.Roles {
		if int(role) < roles {
			s.roles[role] = true
		}
	}
	p.shotMu.Lock()
	p.shots = append(p.shots, s)
	p.shotMu.Unlock()
	p.armed.Add(1)
	p.interrupt() // connections that copy in the kernel have to start counting
	return s
}

// Fired reports whether the operation was reached.
func (s *Shot) Fired() bool { return s.fired.Load() }

// Seen returns how many operations were counted since arming; after a run that
// was not broken, that is how many there are.
func (s *Shot) Seen() int64 {
	s.proxy.shotMu.Lock()
	defer s.proxy.shotMu.Unlock()
	return s.seen
}

// Disarm takes the shot away. It may be called more than once.
func (s *Shot) Disarm() {
	s.proxy.shotMu.Lock()
	defer s.proxy.shotMu.Unlock()
	for i, other := range s.proxy.shots {
		if other == s {
			s.proxy.shots = append(s.proxy.shots[:i:i], s.proxy.shots[i+1:]...)
			s.proxy.armed.Add(-1)
			return
		}
	}
}

// operation counts one operation of c and returns the fault that hits it, if any.
// A zero dir is the opening of the connection.
func (p *Proxy) operation(c *conn, dir Dir) *Fault {
	p.counts[c.info.Role].ops.Add(1)
	if p.armed.Load() == 0 {
		return nil
	}
	p.shotMu.Lock()
	defer p.shotMu.Unlock()
	var hit *Fault
	for _, s := range p.shots {
		if !s.roles[c.info.Role] || dir == 0 && !s.target.Opens || dir != 0 && !s.target.Dir.orBoth().has(dir) {
			continue
		}
		if s.seen == s.target.Op && hit == nil {
			s.fired.Store(true)
			hit = &s.fault
		}
		s.seen++
	}
	return hit
}
