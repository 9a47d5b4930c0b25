package doctor

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/sftpdriver"
)

// fullPacket is longer than a packet of a usual line: a request of that size is acknowledged
// only where full-size packets pass.
const fullPacket = 1600

// loginFolder is where a login begins.
const loginFolder = "."

// sshProbe examines SFTP with the driver itself, over one connection that ends after its
// login. What was said in clear before that is read off the socket.
func (s *seen) sshProbe(ctx context.Context) {
	begin := time.Now()
	conn, err := s.sftpDial(ctx, 0)
	s.ssh.login = time.Since(begin)
	s.readGreeting()
	if err != nil {
		s.sshStopped(err)
		s.smallSSH(ctx)
		return
	}
	defer conn.Close()
	s.reached, s.loggedIn = atLoggedIn, true
	info := conn.Info()
	s.ssh.security = info.Security
	batch := transport.NewBatch(&transport.Stat{Path: loginFolder}, &transport.Space{Path: loginFolder},
		&transport.Stat{Path: "ftpx-doctor-" + strings.Repeat("x", fullPacket)})
	if err := s.do(ctx, conn, batch); err != nil {
		s.stopAt(atServed, "describing the login folder", err, reply{})
		s.smallSSH(ctx)
		return
	}
	if room := batch.Requests[1].(*transport.Space); room.OK() {
		s.ssh.space = room
	}
	s.reached = atServed
	if s.opt.Idle > 0 {
		s.idleSSH(ctx, conn)
	}
}

// do carries out a batch within a step's time.
func (s *seen) do(ctx context.Context, conn transport.Conn, b *transport.Batch) error {
	ctx, cancel := context.WithTimeout(ctx, s.opt.StepTimeout)
	defer cancel()
	return conn.Do(ctx, b)
}

func (s *seen) sftpDial(ctx context.Context, segment int) (*sftpdriver.Conn, error) {
	ep := *s.ep
	ep.ConnectTimeout = loginFactor * s.opt.StepTimeout
	ep.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) { return s.connect(ctx, segment) }
	return sftpdriver.Dial(ctx, &ep)
}

// readGreeting reads version and algorithms off what the server said in clear.
func (s *seen) readGreeting() {
	t := s.tcp.last()
	if t == nil {
		return
	}
	s.reached = atConnected
	head, _ := t.said()
	version, k := parseKexInit(head)
	if version == "" {
		if first, _, _ := strings.Cut(string(head), "\n"); first != "" {
			s.server = strings.TrimRight(first, "\r")
		}
		return
	}
	s.server, s.software, s.ssh.kexInit = version, softwareOf(version, ""), k
	s.reached = atGreeted
	if t.firstIn.After(t.opened) {
		s.ssh.version = t.firstIn.Sub(t.opened)
	}
}

// sshStopped finds the step at which the driver failed.
func (s *seen) sshStopped(err error) {
	at, what := atConnected, "connecting"
	var te *transport.Error
	if errors.As(err, &te) {
		s.ssh.op = te.Op
		switch te.Op {
		case "handshake":
			if at, what = atGreeted, "waiting for the SSH version"; s.reached >= atGreeted {
				at, what = atProtected, "exchanging keys"
			}
		case "login":
			if at, what = atLoggedIn, "logging in"; s.reached < atGreeted {
				at, what = atGreeted, "waiting for the SSH version"
			} else if te.Kind != transport.KindInvalid {
				s.reached = atProtected
			}
		case "subsystem":
			at, what = atServed, "starting the SFTP subsystem"
			s.reached, s.loggedIn = atLoggedIn, true
		}
	}
	if at == atConnected && len(s.tcp.conns) > 0 {
		at, what = atGreeted, "waiting for the SSH version"
	}
	s.stopAt(at, what, err, reply{})
}

// smallSSH connects once more with small segments where a step timed out: that succeeds
// where full-size packets are lost on the way.
func (s *seen) smallSSH(ctx context.Context) {
	st := s.stop
	if !timedOut(st.err) || st.at <= atConnected || len(s.tcp.conns) == 0 || s.ep.Dial != nil || smallSegments(smallest) == nil || ctx.Err() != nil {
		return
	}
	s.tcp.smallTried, s.tcp.smallWhat = true, st.what
	attempts, conns := len(s.tcp.attempts), len(s.tcp.conns)
	conn, err := s.sftpDial(ctx, smallest)
	s.tcp.attempts, s.tcp.conns = s.tcp.attempts[:attempts], s.tcp.conns[:conns]
	s.tcp.smallWorks = err == nil
	if err == nil {
		_ = conn.Close()
		return
	}
	// It came further than before: to a refusal by the server.
	var te *transport.Error
	s.tcp.smallWorks = errors.As(err, &te) && !timedOut(err) && te.Op != "dial" && te.Kind != transport.KindLost
}

// idleSSH leaves the session without a word, and then says one.
func (s *seen) idleSSH(ctx context.Context, conn transport.Conn) {
	if !pause(ctx, s.opt.Idle) {
		return
	}
	s.asked.idleTried, s.asked.idleTook = true, s.opt.Idle
	ping := &transport.Ping{}
	if err := s.do(ctx, conn, transport.NewBatch(ping)); err != nil {
		s.asked.idleErr = err
	} else {
		s.asked.idleErr = ping.Err
	}
}

// pause waits and reports whether it was not interrupted.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
