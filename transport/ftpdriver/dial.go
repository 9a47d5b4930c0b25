package ftpdriver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// Dial connects and logs in, all within [transport.Endpoint.ConnectBudget] and
// until ctx ends. The protocol must be FTP, FTPS or FTPSImplicit. Errors are
// *transport.Error; [transport.KindNotOffered] is all that says that the protocol
// is not to be had here.
//
// An empty user is "anonymous", with a password of its own if none is given.
func Dial(ctx context.Context, ep *transport.Endpoint) (conn *Conn, failure error) {
	if err := check(ep); err != nil {
		return nil, ep.Fail("dial", "", transport.KindInvalid, err)
	}
	if ctx.Err() != nil {
		return nil, ep.Fail("dial", "", transport.KindCanceled, cause(ctx))
	}
	var secure *tlsSetup
	if ep.Protocol.Secure() {
		var err error
		if secure, err = newTLSSetup(ep); err != nil {
			return nil, ep.Fail("dial", "", transport.KindInvalid, err)
		}
	}
	budget, cancel := context.WithTimeout(ctx, ep.WithDefaults().ConnectTimeout)
	defer cancel()
	sock, err := wire.DialControl(budget, ep)
	if err != nil {
		return nil, wire.ConnectFailure(ctx, ep, "dial", err)
	}
	c := &Conn{ep: ep, ctl: newControl(ep, sock), tls: secure, named: named{addr: ep.Addr(), peer: wire.PeerOf(sock)}, learned: ep.Learned}
	if c.learned == nil {
		c.learned = new(transport.Learned)
	}
	c.ctl.silence = lockedAfter(wire.WatchOf(ep).Stall)
	// The budget bounds all of this; a stall time as well would only make two
	// clocks of one.
	op := wire.StartOp(budget, wire.Watch{}, sock)
	phases := ep.Phases()
	c.ctl.ctx = ctx
	returned := false
	defer func() {
		if !returned { // code of the caller's has panicked
			op.Abandon()
		}
	}()
	step, err := c.connect(op, phases)
	returned = true
	if err = op.End(err); err == nil && budget.Err() != nil {
		err = budget.Err() // the socket is being closed
	}
	if err == nil && !c.ctl.inStep() {
		err = errUnsolicited
	}
	if err == nil {
		phases.End(nil)
		return c, nil
	}
	_ = sock.Abort()
	defer func() { phases.End(failure) }()
	if step == "login" && c.ctl.lead == "PASS" && !isReply(err) && ctx.Err() == nil {
		c.lacksNow(lacksEagerness)
	}
	return nil, c.connectFailure(ctx, step, err)
}

func check(ep *transport.Endpoint) error {
	switch {
	case !ep.Protocol.IsFTP():
		return fmt.Errorf("protocol %v is not FTP", ep.Protocol)
	case ep.Host == "":
		return errors.New("no host is given")
	case ep.Port < 0 || ep.Port > 65535:
		return fmt.Errorf("port %d does not exist", ep.Port)
	case strings.ContainsAny(ep.User, "\r\n\x00"):
		return errors.New("the user name holds CR, LF or NUL")
	case strings.ContainsAny(ep.Password.Reveal(), "\r\n\x00"):
		return errors.New("the password holds CR, LF or NUL: a line end from a file, perhaps")
	}
	for i, line := range ep.AfterLogin {
		if err := checkRaw(line); err != nil {
			return fmt.Errorf("AfterLogin[%d]: %w", i, err)
		}
	}
	if err := checkActive(ep); err != nil {
		return err
	}
	return refuseInClear(ep)
}

// connect does all that follows the dial and names the step that failed.
func (c *Conn) connect(op *wire.Op, phases *transport.Phases) (step string, err error) {
	if c.ep.Protocol == transport.FTPSImplicit {
		phases.Enter(transport.PhaseTLS)
		if err := c.secureControl(op); err != nil {
			return "handshake", err
		}
	}
	phases.Enter(transport.PhaseGreeting)
	greeting, err := c.greet()
	if err != nil {
		return "greeting", err
	}
	if c.ep.Protocol == transport.FTPS {
		phases.Enter(transport.PhaseTLS)
		if err := c.authTLS(); err != nil {
			return "AUTH", err
		}
		if err := c.secureControl(op); err != nil {
			return "handshake", notAgain(err)
		}
	}
	phases.Enter(transport.PhaseLogin)
	first, _, _ := strings.Cut(greeting.text, "\n")
	c.server = transport.Printable(strings.Trim(first, " -")) // Pure-FTPd frames it
	if step, err := c.login(greeting); err != nil {
		return step, err
	}
	return "login", c.afterLogin()
}

// afterLogin sends the commands that the caller wants sent, one by one: nobody knows what
// they mean to the next.
func (c *Conn) afterLogin() error {
	for _, line := range c.ep.AfterLogin {
		r, err := c.ctl.command(line)
		if err != nil {
			return err
		}
		if !r.positive() {
			return as(transport.KindInvalid, fmt.Errorf("the server refuses %q, which AfterLogin wants: %w", line, r.err()))
		}
	}
	return nil
}

// secureControl puts TLS on the control connection.
func (c *Conn) secureControl(op *wire.Op) error {
	conn, security, err := c.tls.handshake(op.Context(), c.ctl.wire)
	if err != nil {
		return err
	}
	c.ctl.over(conn)
	c.secure = security
	return nil
}

// notAgain keeps a failed handshake behind a 234 from looking as if TLS was not
// offered: it was, and what came instead is somebody's meddling or a fault.
func notAgain(err error) error {
	if transport.KindOf(err) == transport.KindNotOffered {
		return as(transport.KindProtocol, fmt.Errorf("the server agreed to TLS and did not begin it: %w", err))
	}
	return err
}

// greet reads the server's first reply.
func (c *Conn) greet() (reply, error) {
	r, err := c.ctl.read()
	var bad *notReply
	switch {
	case errors.As(err, &bad) || errors.Is(err, errLongLine) || errors.Is(err, errLongReply):
		return reply{}, c.notFTP(bad, err)
	case err == io.EOF:
		return reply{}, fmt.Errorf("the server closed the connection without a greeting: %w", err)
	case err != nil:
		return reply{}, err
	}
	c.ctl.saw(r)
	switch {
	case r.code == 220:
		return r, nil
	case r.code == 120:
		return reply{}, as(transport.KindBusy, r.err()) // RFC 959: ready in nnn minutes
	}
	return reply{}, r.err()
}

// notFTP judges a greeting that is none.
func (c *Conn) notFTP(bad *notReply, err error) error {
	if bad != nil {
		// Windows servers have been seen to greet with "10054 Too many connections".
		number, text, _ := strings.Cut(bad.line, " ")
		if n, aerr := strconv.Atoi(number); aerr == nil && transport.KindOfReply("", n, text) == transport.KindBusy {
			return as(transport.KindBusy, err)
		}
		if strings.HasPrefix(bad.line, "SSH-") {
			return as(transport.KindNotOffered, fmt.Errorf("an SSH server answers on this port: %w", err))
		}
	}
	return as(transport.KindNotOffered, err)
}

// authTLS asks for TLS (RFC 4217 section 4).
func (c *Conn) authTLS() error {
	r, err := c.ctl.command("AUTH TLS")
	if err != nil {
		return err
	}
	if r.code != 234 {
		return r.err()
	}
	if c.ctl.br.Buffered() > 0 {
		// A TLS server waits for the client to speak. Whoever put these bytes
		// here wants them taken for what the server says under TLS.
		return as(transport.KindInsecure, errors.New("data in clear follows the server's answer to AUTH TLS: somebody on the way may have put it there"))
	}
	return nil
}

// connectFailure makes the driver's error of a failed connect.
func (c *Conn) connectFailure(ctx context.Context, step string, err error) *transport.Error {
	e := wire.ConnectFailure(ctx, c.ep, step, err)
	if e.Kind == transport.KindCanceled || e.Kind == transport.KindTimeout {
		return e
	}
	verb := ""
	if isReply(err) {
		verb = c.ctl.last.verb
		if verb != "" {
			e.Op = verb
		}
	}
	e.Kind = c.kindOf(verb, err)
	if (verb == "PROT" || verb == "PBSZ") && e.Kind != transport.KindBusy && e.Kind != transport.KindLost {
		e.Kind = transport.KindInsecure
	}
	return e
}
