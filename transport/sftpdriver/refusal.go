package sftpdriver

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// pinMissed reports whether another handshake may show a pinned key, and
// prepares for it. Nothing but a key exchange has happened by then.
func (d *dialer) pinMissed() bool {
	var he *transport.HostKeyError
	return errors.As(d.host.err, &he) && len(d.host.pins) > 0 && d.shown != nil &&
		d.ctx.Err() == nil && d.host.nextPinned(d.shown)
}

// failure names what went wrong while connecting. ctx is the caller's.
func (d *dialer) failure(ctx context.Context, err error) *transport.Error {
	if d.step == "dial" {
		// A jump host may lie on the way, and its errors are not to be judged as if
		// this server had said them.
		return wire.ConnectFailure(ctx, d.ep, d.step, err)
	}
	kind, cause := d.judge(err)
	if kind == transport.KindUnknown || ctx.Err() != nil {
		return wire.ConnectFailure(ctx, d.ep, d.step, err)
	}
	return d.ep.Fail(d.step, "", kind, cause)
}

// judge returns [transport.KindUnknown] for what the network's errors say by
// themselves.
func (d *dialer) judge(err error) (transport.Kind, error) {
	var greeting *greetingError
	var negotiation *ssh.AlgorithmNegotiationError
	var refused *ssh.OpenChannelError
	var subsystem *subsystemError
	if d.line != nil {
		err = d.line.notSSH(err)
	}
	switch {
	case d.host.err != nil:
		return transport.KindHostKey, d.host.err
	case errors.As(err, &greeting):
		return greeting.kind, greeting
	case errors.As(err, &negotiation):
		if len(d.host.shown) > 0 {
			// The server has no more keys to show.
			return transport.KindHostKey, d.host.pinError()
		}
		return d.judgeNegotiation(negotiation)
	case errors.Is(err, errNotHybrid):
		return transport.KindInsecure, err
	case errors.As(err, &subsystem):
		return transport.KindNotOffered, subsystem
	case errors.As(err, &refused):
		// sshd answers "open failed" (connect failed) when MaxSessions is used up.
		if refused.Reason == ssh.Prohibited || refused.Reason == ssh.UnknownChannelType {
			return transport.KindNotOffered, fmt.Errorf("the server allows no sessions on SSH: %w", refused)
		}
		return transport.KindBusy, fmt.Errorf("the server opens no more sessions: %w", refused)
	}
	if reason, text, ok := disconnected(err); ok {
		return d.judgeDisconnect(reason, text, err)
	}
	var lost error
	if d.line != nil {
		lost = d.line.lost()
	}
	network := transport.KindOf(err) != transport.KindUnknown
	switch {
	case d.step == "dial":
		return transport.KindUnknown, err
	case d.ctx.Err() != nil:
		// Closing the socket, and the agent, brings up anything at all.
		return transport.KindTimeout, err
	case d.step == "login" && garbled(err.Error()):
		return transport.KindProtocol, err
	case d.step == "login" && (lost == nil || strings.Contains(err.Error(), "unable to authenticate")):
		// x/crypto has no type for it: "unable to authenticate, attempted
		// methods [none password], no supported methods remain". With a line
		// that is well, even an io.EOF is of the login: of the agent.
		return transport.KindAuth, d.login.failure(err)
	case network:
		return transport.KindUnknown, err
	case lost != nil:
		// x/crypto speaks of an unexpected packet where there was none.
		return transport.KindLost, lost
	}
	return transport.KindProtocol, err
}

// garbled reports whether x/crypto could not make sense of a packet: ciphers find
// by its length or its MAC that the line has changed it.
func garbled(text string) bool {
	for _, s := range []string{"ssh: max packet length exceeded", "ssh: invalid packet length", "ssh: empty packet",
		"ssh: MAC failure", "message authentication failed"} {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

var disconnect = regexp.MustCompile(`ssh: disconnect, reason (\d+): (.*)`)

// disconnected recognises SSH_MSG_DISCONNECT (RFC 4253 section 11.1), whose
// type x/crypto does not export.
func disconnected(err error) (reason int, text string, ok bool) {
	m := disconnect.FindStringSubmatch(err.Error())
	if m == nil {
		return 0, "", false
	}
	reason, _ = strconv.Atoi(m[1])
	if unquoted, err := strconv.Unquote(m[2]); err == nil {
		return reason, unquoted, true
	}
	return reason, m[2], true
}

// judgeDisconnect: reason codes of RFC 4253 section 11.1, and the texts, since
// OpenSSH says "Too many authentication failures" under "protocol error" (2).
func (d *dialer) judgeDisconnect(reason int, text string, err error) (transport.Kind, error) {
	t := strings.ToLower(text)
	switch {
	case strings.Contains(t, "authentication"), reason == 13, reason == 14, reason == 15:
		return transport.KindAuth, d.login.failure(err)
	case reason == 12, transport.KindOfReply("", 500, text) == transport.KindBusy, strings.Contains(t, "busy"):
		return transport.KindBusy, err
	case reason == 1, reason == 7, reason == 8: // host not allowed, service, version
		return transport.KindRefused, err
	}
	return transport.KindLost, err
}
