package sftpdriver

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// Dial connects, verifies the host key, logs in and starts the SFTP subsystem,
// all within [transport.Endpoint.ConnectBudget]. Ending ctx ends it at once.
// Files are read, and passphrases asked for, before anything is dialled and
// outside that time. Errors are [*transport.Error], with Op "dial",
// "handshake", "login" or "subsystem".
func Dial(ctx context.Context, ep *transport.Endpoint) (*Conn, error) {
	return dialWith(ctx, ep, (*dialer).subsystem)
}

// dialWith connects, verifies the host key and logs in, and has open make of the
// connection what the caller wants.
func dialWith[C any](ctx context.Context, ep *transport.Endpoint, open func(*dialer, ssh.Conn) (C, error)) (none C, err error) {
	if ep.User == "" {
		return none, ep.Fail("login", "", transport.KindInvalid, errors.New("SSH needs a user name: set User, or put it into the URL as user@host"))
	}
	host, err := newHostVerifier(ep)
	if err != nil {
		return none, ep.Fail("handshake", "", transport.KindInvalid, err)
	}
	signers, err := loadIdentities(ctx, &ep.SSH)
	if err != nil {
		return none, identityFailure(ctx, ep, err)
	}
	cctx, cancel := context.WithTimeout(ctx, ep.WithDefaults().ConnectTimeout)
	defer cancel()
	for {
		d := &dialer{ep: ep, ctx: cctx, phases: ep.Phases(), host: host, login: &login{ctx: cctx, ep: ep, signers: signers}}
		c, err := connect(d, open)
		if err == nil {
			d.phases.End(nil)
			return c, nil
		}
		if d.step != "dial" && d.pinMissed() {
			d.phases.End(err)
			continue
		}
		failure := d.failure(ctx, err)
		d.phases.End(failure)
		return none, failure
	}
}

// dialer makes one attempt to connect.
type dialer struct {
	ep    *transport.Endpoint
	ctx   context.Context
	host  *hostVerifier
	login *login

	line   *line
	step   string
	phases *transport.Phases
	proven time.Time     // when the host key had been verified
	shown  ssh.PublicKey // the host key, right or wrong
	rtt    time.Duration
}

func connect[C any](d *dialer, open func(*dialer, ssh.Conn) (C, error)) (none C, err error) {
	d.step = "dial"
	sock, err := wire.DialControl(d.ctx, d.ep)
	if err != nil {
		return none, err
	}
	d.line = &line{Wire: sock}
	op := wire.StartOp(d.ctx, wire.Watch{}, sock)
	returned := false
	defer func() {
		if !returned { // code of the caller's has panicked
			op.Abandon()
			d.login.close()
		}
	}()
	conn, err := d.handshake()
	var c C
	if err == nil {
		c, err = open(d, conn)
	}
	returned = true
	if err = op.End(err); err == nil {
		// The socket may have been closed in the last moment.
		err = d.ctx.Err()
	}
	d.login.close()
	if err != nil {
		_ = sock.Abort()
		return none, err
	}
	return c, nil
}

// handshake makes SSH of the open socket, under an operation that closes it when
// the time is up.
func (d *dialer) handshake() (ssh.Conn, error) {
	d.step = "handshake"
	d.phases.Enter(transport.PhaseSSH)
	config := &ssh.ClientConfig{
		Config:            d.host.offers.config(),
		User:              d.ep.User,
		Auth:              d.login.methods(),
		ClientVersion:     clientVersion,
		HostKeyAlgorithms: d.host.algorithms,
		HostKeyCallback: func(name string, remote net.Addr, key ssh.PublicKey) error {
			d.shown = key
			if err := d.host.callback(name, remote, key); err != nil {
				return err
			}
			d.step, d.proven = "login", time.Now()
			return nil
		},
	}
	conn, channels, requests, err := ssh.NewClientConn(d.line, d.ep.Addr(), config)
	if d.step == "login" {
		d.phases.EnterAt(transport.PhaseLogin, d.proven)
	}
	if err != nil {
		return nil, err
	}
	if m, ok := conn.(ssh.AlgorithmsConnMetadata); d.ep.RequirePostQuantum && (!ok || !postQuantum(m.Algorithms().KeyExchange)) {
		return nil, errNotHybrid
	}
	go ssh.DiscardRequests(requests)
	go func() {
		for ch := range channels { // a server has nothing to open on us
			_ = ch.Reject(ssh.Prohibited, "no channels here")
		}
	}()
	return conn, nil
}

// subsystem starts SFTP on the connection. The session is opened by hand and
// not by sftp.NewClient, for the pipe to lie under pkg/sftp and for the reason
// of a refusal to be known.
func (d *dialer) subsystem(conn ssh.Conn) (*Conn, error) {
	d.step = "subsystem"
	d.phases.Enter(transport.PhaseSubsystem)
	begin := time.Now()
	ch, requests, err := conn.OpenChannel("session", nil)
	if err != nil {
		return nil, err
	}
	d.rtt = time.Since(begin)
	session := &session{heard: make(chan struct{})}
	go ssh.DiscardRequests(requests)
	go session.listen(ch.Stderr())

	d.ep.OnCommand(d.ctx, 1, "SUBSYSTEM sftp")
	ok, err := ch.SendRequest("subsystem", true, ssh.Marshal(struct{ Name string }{"sftp"}))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, &subsystemError{"the server speaks SSH and offers no SFTP: have its owner configure \"Subsystem sftp\""}
	}
	begin = time.Now()
	first := &firstBytes{Channel: ch}
	p := newPipe(first, func(err error) { d.line.endFor(err, d.ep) })
	p.alone = func() { d.ep.Learned.Note(d.ep.Addr(), lacksOwnHandles, true) }
	d.ep.OnCommand(d.ctx, firstRequests, "INIT 3")
	lib, err := openLibrary(p)
	if err != nil {
		return nil, session.explain(err, first, conn, d.line)
	}
	d.rtt = min(d.rtt, time.Since(begin))
	d.ep.OnReply(d.ctx, firstRequests, fxOK, "SFTP version 3")
	c := &Conn{ep: d.ep, line: d.line, ssh: conn, pipe: p, lib: lib, traits: traitsOf(conn)}
	c.extras.limit = maxChannels - 1
	c.askLimits()
	c.info = d.info(conn, c)
	c.trip.Store(int64(d.rtt))
	_, posix := lib.extension(posixRename)
	c.posixRename.Store(posix && !d.ep.Learned.Lacks(d.ep.Addr(), posixRename))
	return c, nil
}

func (d *dialer) info(conn ssh.Conn, c *Conn) transport.Info {
	largest := safePacket
	if c.limits.answer != nil {
		largest = largestPacket
	}
	info := transport.Info{
		Protocol:  d.ep.Protocol,
		Addr:      d.ep.Addr(),
		Peer:      wire.PeerOf(d.line),
		Server:    transport.Printable(string(conn.ServerVersion())),
		RoundTrip: d.rtt,
		Caps: transport.Caps{
			Truncate:    true,
			SetTime:     true,
			ExactTimes:  true,
			WriteWindow: maxChannels*channelBytes + int64(largest),
			OneStream:   c.traits.oneStream,
			Overlap:     overlap,
		},
		Security: &transport.Security{Version: "SSH 2.0"},
	}
	// ProFTPD has it, does not say so in version 3 of the protocol, and hashes to
	// the end of the file whatever length is asked for.
	list, ok := c.lib.extension("check-file")
	if ok || strings.Contains(info.Server, "mod_sftp") {
		info.Caps.Hashes = hashesOf(list)
		info.Caps.HashRanges = ok && len(info.Caps.Hashes) > 0
	}
	s := info.Security
	if m, ok := conn.(ssh.AlgorithmsConnMetadata); ok {
		a := m.Algorithms()
		s.KeyExchange, s.PostQuantum = a.KeyExchange, postQuantum(a.KeyExchange)
		s.Cipher, s.MAC = a.Write.Cipher, a.Write.MAC
	}
	s.HostKey = ssh.FingerprintSHA256(plainKey(d.host.key))
	if cert, ok := d.host.key.(*ssh.Certificate); ok && cert.ValidBefore != ssh.CertTimeInfinity {
		s.CertificateExpiry = time.Unix(int64(cert.ValidBefore), 0)
	}
	return info
}
