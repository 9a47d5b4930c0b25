package retry

import (
	"context"
	"errors"
	"net/textproto"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Class is what to do about an error. Zero is not known.
type Class uint8

// The classes.
const (
	// Permanent: another attempt cannot help. Not found, no permission, a
	// refused login, a host key, a certificate, a full disk, the local file.
	Permanent Class = iota + 1
	// Transient: line trouble. Try again, after a pause if nothing moves.
	Transient
	// Busy: the server is full or shutting down. Wait, then queue up again.
	Busy
	// Canceled: the caller's context ended.
	Canceled
)

// String returns "permanent", "transient", "busy" or "canceled".
func (c Class) String() string {
	switch c {
	case Permanent:
		return "permanent"
	case Transient:
		return "transient"
	case Busy:
		return "busy"
	case Canceled:
		return "canceled"
	}
	return "unknown"
}

// MarshalText makes a Class readable in JSON and logs.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// classOf judges each kind of failure.
var classOf = map[transport.Kind]Class{
	// What nothing describes may be anything; the budget bounds it.
	transport.KindUnknown:  Transient,
	transport.KindCanceled: Canceled,
	transport.KindInvalid:  Permanent,
	transport.KindLocal:    Permanent,

	// A name that DNS says does not exist is a typing error far more often
	// than a zone in trouble: that one answers SERVFAIL, which is unreachable.
	transport.KindNoHost:      Permanent,
	transport.KindUnreachable: Transient, // an outage, a server that restarts
	transport.KindTimeout:     Transient,
	transport.KindNotOffered:  Permanent, // for this protocol; see Classify
	// A second failed login brings the account nearer to being locked.
	transport.KindAuth:        Permanent,
	transport.KindHostKey:     Permanent,
	transport.KindCertificate: Permanent,
	transport.KindInsecure:    Permanent,

	transport.KindBusy:      Busy,
	transport.KindLost:      Transient,
	transport.KindStalled:   Transient,
	transport.KindTruncated: Transient,
	transport.KindProtocol:  Transient, // a reply out of step: a new connection is in step
	transport.KindTemporary: Transient,
	transport.KindLocked:    Transient, // the old session ends by its own timeout
	transport.KindRestart:   Transient, // the client then starts from 0

	transport.KindNotExist:   Permanent,
	transport.KindExist:      Permanent,
	transport.KindPermission: Permanent,
	transport.KindName:       Permanent,
	// Disks and quotas are emptied by people, in hours; to hammer a full
	// server helps nobody. The partial is kept, so a later call goes on where
	// this one ended. Who prefers to wait sets Policy.Classify.
	transport.KindNoSpace:     Permanent,
	transport.KindQuota:       Permanent,
	transport.KindUnsupported: Permanent,
	transport.KindRefused:     Permanent,
}

// Classify judges any error by its [transport.Kind], which [transport.KindOf]
// finds for errors that are no [transport.Error].
//
// Of joined errors, such as one for each protocol that was tried, Canceled
// anywhere decides, then a refused login, host key or certificate anywhere;
// else the first error decides, but "this protocol is not offered" gives way to
// what the others met. What [Stop] wrapped, and the [*Error] of a loop that gave
// up, are Permanent. Nil is Permanent, as there is nothing to try again.
//
// A context error is Canceled: Classify cannot know whose context it was.
// [Policy.Do] can, and takes a deadline that was not the caller's for a timeout.
func Classify(err error) Class {
	if err == nil {
		return Permanent
	}
	var stop *stopped
	var spent *Error
	if errors.As(err, &stop) {
		return Permanent
	}
	if errors.As(err, &spent) {
		if spent.Reason == ReasonCanceled {
			return Canceled
		}
		return Permanent
	}
	var found []*transport.Error
	collect(err, &found)
	if len(found) == 0 {
		return classOfKind(transport.KindOf(err))
	}
	return classifyAll(found)
}

func classifyAll(found []*transport.Error) Class {
	for _, e := range found {
		if e.Kind == transport.KindCanceled {
			return Canceled
		}
	}
	for _, e := range found {
		switch e.Kind {
		case transport.KindAuth, transport.KindHostKey, transport.KindCertificate:
			return Permanent
		}
	}
	for _, e := range found {
		if e.Kind != transport.KindNotOffered || inTransfer(e.Op) {
			return classifyOne(e)
		}
	}
	return Permanent
}

func classifyOne(e *transport.Error) Class {
	switch {
	case e.Kind == transport.KindNotOffered && inTransfer(e.Op):
		// The handshake of a data connection went wrong on a server that has
		// just shown that it speaks TLS: garbage on the line.
		return Transient
	case e.Kind == transport.KindTemporary && e.Protocol == transport.SFTP && e.Code == sshFxFailure && changesNames(e.Op):
		// SFTP version 3 has no code for "exists" or "not empty"; OpenSSH
		// answers them with a bare failure, and will do so again.
		return Permanent
	}
	return classOfKind(e.Kind)
}

func classOfKind(k transport.Kind) Class {
	if c, ok := classOf[k]; ok {
		return c
	}
	return classOf[transport.KindUnknown]
}

// sshFxFailure is SSH_FX_FAILURE (draft-ietf-secsh-filexfer-02 section 7).
const sshFxFailure = 4

func inTransfer(op string) bool {
	switch op {
	case "STOR", "RETR", "APPE", "LIST", "MLSD", "NLST":
		return true
	}
	return false
}

func changesNames(op string) bool {
	switch op {
	case "SSH_FXP_MKDIR", "SSH_FXP_RMDIR", "SSH_FXP_REMOVE", "SSH_FXP_RENAME", "SSH_FXP_EXTENDED posix-rename@openssh.com":
		return true
	}
	return false
}

// collect finds every *transport.Error in the tree of err, in order, and does
// not look for more beneath one.
func collect(err error, found *[]*transport.Error) {
	if e, ok := err.(*transport.Error); ok {
		*found = append(*found, e)
		return
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if next := e.Unwrap(); next != nil {
			collect(next, found)
		}
	case interface{ Unwrap() []error }:
		for _, next := range e.Unwrap() {
			if next != nil {
				collect(next, found)
			}
		}
	}
}

// retryAfter returns how long the server asks to wait: the longest wish in the
// tree of err, no longer than MaxRetryAfter.
func retryAfter(err error) time.Duration {
	var d time.Duration
	var found []*transport.Error
	collect(err, &found)
	for _, e := range found {
		d = max(d, e.RetryAfter)
	}
	var reply *textproto.Error
	if d == 0 && errors.As(err, &reply) {
		d = transport.RetryAfterOf(reply.Code, reply.Msg)
	}
	return min(max(d, 0), MaxRetryAfter)
}

// classify is the class of err as the loop sees it: with ctx at hand it can tell
// the caller's deadline from one of an attempt's own.
func (p Policy) classify(ctx context.Context, err error) Class {
	var stop *stopped
	if errors.As(err, &stop) {
		return Permanent
	}
	class := p.Classify(err)
	if class == 0 {
		class = Classify(err)
	}
	if ended := ctx.Err(); ended != nil {
		// An attempt that ended with a clear answer keeps it.
		if class == Permanent && !errors.Is(err, ended) && !errors.Is(err, context.Cause(ctx)) {
			return Permanent
		}
		return Canceled
	}
	if class == Canceled && errors.Is(err, context.DeadlineExceeded) {
		return Transient
	}
	return class
}
