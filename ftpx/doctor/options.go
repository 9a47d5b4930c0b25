package doctor

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Defaults of [Options].
const (
	// DefaultStepTimeout bounds each step: a connect, a handshake, an answer.
	DefaultStepTimeout = 5 * time.Second
	// DefaultCertSoon is how much time a certificate must have left.
	DefaultCertSoon = 21 * 24 * time.Hour
	// mostConnections bounds Options.Connections.
	mostConnections = 200
	// longestIdle bounds Options.Idle.
	longestIdle = 2 * time.Hour
)

// Options say what a run may do beyond reading. The zero value, or nil, is a gentle run.
type Options struct {
	// Scratch is a remote folder that exists, relative to the login folder unless it starts
	// with "/". A fresh folder is made in it, in which resuming, replacing and times are
	// tried, and which is removed at the end, also when the context ends. "" writes nothing.
	Scratch string
	// Connections is how many logins to hold open at once, one after the other, to find the
	// server's limit; 0 tries none. At most 200.
	Connections int
	// Idle is how long a session is left without a word, to find time-outs; 0 leaves it out.
	// With Scratch it is also how long an upload over FTP is made to take, to find a control
	// connection that is cut meanwhile. At most 2 h.
	Idle time.Duration
	// CertSoon is how much time a certificate must have left; 0 means 21 days.
	CertSoon time.Duration
	// StepTimeout bounds each step; 0 means 5 s. A login may take three times as long.
	StepTimeout time.Duration
	// Resolver looks names up; nil means net.DefaultResolver. It is not asked where the
	// configuration has a Dial of its own, which resolves by itself.
	Resolver Resolver
}

// Resolver is the part of *net.Resolver that is used.
type Resolver interface {
	// LookupNetIP returns the addresses of a name; network is "ip4" or "ip6".
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Check reports what is wrong with the options, nil if nothing is.
func (o *Options) Check() error {
	_, err := o.withDefaults()
	return err
}

// withDefaults checks the options and fills in what is zero.
func (o *Options) withDefaults() (Options, error) {
	var out Options
	if o != nil {
		out = *o
	}
	if strings.ContainsAny(out.Scratch, "\r\n\x00") {
		return out, fmt.Errorf("field Options.Scratch holds CR, LF or NUL: name a folder on the server")
	}
	if out.Connections < 0 || out.Connections > mostConnections {
		return out, fmt.Errorf("field Options.Connections is %d: use 1 to %d, or 0 for none", out.Connections, mostConnections)
	}
	if out.Idle < 0 || out.Idle > longestIdle {
		return out, fmt.Errorf("field Options.Idle is %v: use up to %v, or 0 for none", out.Idle, longestIdle)
	}
	if out.CertSoon < 0 || out.StepTimeout < 0 {
		return out, fmt.Errorf("Options.CertSoon is %v and Options.StepTimeout is %v: use positive times, or 0 for the defaults", out.CertSoon, out.StepTimeout)
	}
	if out.CertSoon == 0 {
		out.CertSoon = DefaultCertSoon
	}
	if out.StepTimeout == 0 {
		out.StepTimeout = DefaultStepTimeout
	}
	return out, nil
}
