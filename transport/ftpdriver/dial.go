package ftpdriver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/jlaffaye/ftp"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Dial connects and logs in, all within [transport.Endpoint.ConnectBudget] and
// until ctx ends. The protocol must be FTP, FTPS or FTPSImplicit. Errors are
// *transport.Error; [transport.KindNotOffered] is all that says that the protocol
// is not to be had here.
//
// An empty user is "anonymous", with a password of its own if none is given.
func Dial(ctx context.Context, ep *transport.Endpoint) (*Conn, error) {
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
	budget, cancel := context.WithTimeout(ctx, ep.ConnectBudget())
	defer cancel()
	wire, err := transport.DialWire(budget, ep, ep.Addr())
	if err != nil {
		return nil, ep.ConnectFailure(ctx, "dial", err)
	}
	c := &Conn{ep: ep, ctl: newControl(ep, wire), tls: secure, addr: ep.Addr()}
	c.ctl.silence = lockedAfter(ep.Watch().Stall)
	// The budget bounds all of this; a stall time besides would only make two
	// clocks of one.
	op := transport.StartOp(budget, transport.Watch{}, wire)
	step, err := c.connect(op)
	if err = op.End(err); err == nil && budget.Err() != nil {
		err = budget.Err() // the socket is being closed
	}
	if err == nil && !c.ctl.inStep() {
		err = errStray
	}
	if err == nil {
		return c, nil
	}
	_ = wire.Abort()
	if step == "login" && c.ctl.lead == "PASS" && !isReply(err) && ctx.Err() == nil {
		shyHosts.add(c.addr)
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
	if err := checkActive(ep); err != nil {
		return err
	}
	return refuseInClear(ep)
}

// connect does all that follows the dial and names the step that failed.
func (c *Conn) connect(op *transport.Op) (step string, err error) {
	if c.ep.Protocol == transport.FTPSImplicit {
		if err := c.secureControl(op); err != nil {
			return "handshake", err
		}
	}
	greeting, err := c.greet()
	if err != nil {
		return "greeting", err
	}
	if c.ep.Protocol == transport.FTPS {
		if err := c.authTLS(); err != nil {
			return "AUTH", err
		}
		if err := c.secureControl(op); err != nil {
			return "handshake", notAgain(err)
		}
	}
	first, _, _ := strings.Cut(greeting.text, "\n")
	c.server = transport.Printable(strings.Trim(first, " -")) // Pure-FTPd frames it
	return c.login(greeting)
}

// secureControl puts TLS on the control connection.
func (c *Conn) secureControl(op *transport.Op) error {
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

// login hands the connection to the library and logs in. The library sends USER,
// PASS, FEAT, TYPE I and, under TLS, PBSZ 0 and PROT P.
func (c *Conn) login(greeting reply) (step string, err error) {
	user, password := c.ep.User, c.ep.Password.Reveal()
	if user == "" {
		user = "anonymous"
		if password == "" {
			password = "anonymous@"
		}
	}
	c.ctl.pending = greeting.wire(220)
	if c.serial = needsSync(c.server) || serialHosts.has(c.addr); !c.serial {
		c.ctl.batch = []string{"TYPE I"}
		if c.tls != nil {
			c.ctl.batch = append(c.ctl.batch, "PBSZ 0", "PROT P")
		}
		if c.isVSFTPD() { // which has no MLST: the look at a name needs the login folder
			c.ctl.tail = []string{"PWD"}
		}
		if (c.isVSFTPD() || c.isProFTPD()) && c.ep.Charset == nil {
			c.ctl.tail = append(c.ctl.tail, askUTF8) // whether FEAT will show it or not
		}
		c.ctl.eager = (c.isVSFTPD() || c.isProFTPD()) && !shyHosts.has(c.addr)
	}
	options := []ftp.DialOption{
		ftp.DialWithDialFunc(c.hand),
		// We do it below: the library fails where a server does not know it.
		ftp.DialWithDisabledUTF8(true),
	}
	if c.tls != nil {
		// Not DialWithExplicitTLS, which with a dial function leaves the data
		// connections in clear after PROT P.
		options = append(options, ftp.DialWithTLS(c.tls.config))
	}
	if c.lib, err = ftp.Dial(c.ep.Addr(), options...); err != nil {
		return "login", err
	}
	if err = c.lib.Login(user, password); err == nil {
		err = c.readTail()
	}
	if err != nil {
		last := c.ctl.last
		if errors.Is(err, errDropped) {
			serialHosts.add(c.addr)
		}
		if !isReply(err) && last.verb == "USER" && last.code != 230 && last.code != 331 {
			// The library makes an error of a refused USER that has no code.
			err = last.err()
		}
		if last.code == 332 && isReply(err) {
			err = as(transport.KindAuth, fmt.Errorf("the server asks for an account besides the password (ACCT), which is not supported: %w", err))
		}
		return "login", err
	}
	c.ctl.ahead, c.ctl.taken = nil, 0
	c.learn()
	if c.doublesIAC() {
		c.ctl.conn = telnet{c.ctl.conn}
	}
	if err := c.wantUTF8(); err != nil {
		return "login", err
	}
	c.roundTrip = c.ctl.rtt
	c.ctl.grace += 4 * c.roundTrip
	return "", nil
}

// shyHosts are those on which a login was lost in which the password had not been sent
// alone. That may be no fault of theirs, and costs them a round trip.
var shyHosts hostSet

// readTail reads the replies that the library does not know of.
func (c *Conn) readTail() error {
	for range c.ctl.tail {
		r, _, err := c.ctl.final()
		if err != nil {
			return err
		}
		if r.verb == "PWD" {
			_ = c.tookHome(r) // whoever needs it asks again, and says what is wrong
		}
	}
	return nil
}

// askUTF8 asks for names in UTF-8, whatever the answer: 501, 504 and 202 have all been
// seen.
const askUTF8 = "OPTS UTF8 ON"

// wantUTF8 asks for names in UTF-8, where they are and it has not been done, and in the
// same write for the login folder, which the look at a name needs where there is no MLST.
func (c *Conn) wantUTF8() error {
	if !c.feats.has("UTF8") || c.ep.Charset != nil || slices.Contains(c.ctl.tail, askUTF8) {
		return nil
	}
	lines := []string{askUTF8}
	if !c.serial && c.home == "" && (!c.feats.has("MLST") || c.noMLST) {
		lines = append(lines, "PWD")
	}
	replies, err := c.exchange(lines...)
	if err == nil && len(replies) > 1 {
		_ = c.tookHome(replies[1])
	}
	return err
}

// hand is the library's dial function: it gets the control connection first and
// then each data connection that was made ready for it.
func (c *Conn) hand(string, string) (net.Conn, error) {
	if c.lib == nil {
		return c.ctl, nil
	}
	if c.data == nil {
		return nil, errors.New("no data connection is ready")
	}
	d := c.data
	c.data = nil
	return d, nil
}

// connectFailure makes the driver's error of a failed connect.
func (c *Conn) connectFailure(ctx context.Context, step string, err error) *transport.Error {
	e := c.ep.ConnectFailure(ctx, step, err)
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
