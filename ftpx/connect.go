package ftpx

import (
	"context"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

type (
	lease = session.Lease
	task  = session.Task
)

// newSession makes the client's session: hooks hear of its events, counters count them.
func (c *client) newSession() *session.Session {
	cfg := &c.cfg
	c.hosts = append([]Standby{{Host: cfg.Host}}, ranked(cfg.Standbys)...)
	o := session.Options{
		Protocols: cfg.Protocols, Plaintext: cfg.AllowPlaintext, HeadStart: cfg.Timeouts.HeadStart, Recheck: cfg.Timeouts.RecheckAfter,
		MaxConns: cfg.Limits.Conns, MaxTransfers: cfg.Limits.Transfers, Retry: cfg.Retry, Rate: session.NewRate(cfg.Limits.Rate),
		Dial: c.dial, Events: c.events(),
	}
	for _, h := range c.hosts {
		o.Hosts = append(o.Hosts, h.Host)
		o.Ranks = append(o.Ranks, h.Rank)
	}
	if c.creds.ask != nil {
		o.Prepare = func(ctx context.Context, t session.Target) error { return c.creds.fetch(ctx, c.endpoint(t)) }
	}
	return session.New(o)
}

// run carries out an operation, see [session.Session.Run].
func (c *client) run(ctx context.Context, t task, f func(context.Context, *lease) error) (err error) {
	ctx, op := c.begin(ctx, OperationInfo{Op: t.Op, Local: t.Local, Remote: t.Remote})
	err = ErrNoReturn
	defer op.end(&err)
	return c.runIn(ctx, t, f)
}

// runIn is run within an operation that has begun.
func (c *client) runIn(ctx context.Context, t task, f func(context.Context, *lease) error) error {
	if err := c.sess.Run(ctx, t, f); err != nil {
		return c.failure(t, err)
	}
	return nil
}

// failure makes the error of an operation.
func (c *client) failure(t task, err error) *Error {
	return &Error{Op: t.Op, Local: t.Local, Remote: t.Remote, Outcome: outcomeOf(err), Offset: t.At(), Err: err}
}

func (c *client) endpoint(t session.Target) *transport.Endpoint {
	h := c.hosts[t.Host]
	cfg := &c.cfg
	ports := orDefault(h.Ports, cfg.Ports)
	password := cfg.Password
	if h.User != "" || h.Password != "" {
		password = h.Password
	}
	ssh, tls := cfg.SSH, cfg.TLS
	if h.SSH != nil {
		ssh = *h.SSH
		ssh.Keyring = orDefault(ssh.Keyring, cfg.SSH.Keyring)
	}
	if h.TLS != nil {
		tls = *h.TLS
	}
	return &transport.Endpoint{
		Protocol: t.Protocol, Host: h.Host, Port: ports.of(t.Protocol), User: orDefault(h.User, cfg.User), Password: password,
		SSH: ssh, TLS: tls, Dial: cfg.Dial, RequirePostQuantum: cfg.RequirePostQuantum,
		Charset: cfg.Charset, ListZone: cfg.FTP.ListZone, ActiveAddr: cfg.FTP.ActiveAddr, AfterLogin: cfg.FTP.AfterLogin, Learned: &c.learned,
		ConnectTimeout: cfg.Timeouts.Connect, Stall: cfg.Timeouts.Stall, MinRate: cfg.Timeouts.MinRate,
	}
}

// noProtocol makes the error of a race that nobody won.
func (c *client) noProtocol(r session.Race) error {
	e := &ProtocolsError{PlaintextHeld: r.Held && !c.cfg.AllowPlaintext, Downgrade: r.Held && c.cfg.AllowPlaintext}
	for i, p := range r.Protocols {
		e.Tried = append(e.Tried, ProtocolInfo{Protocol: p, Err: r.Errs[i]})
	}
	return &transport.Error{Op: "connect", Addr: r.Host, Kind: r.Kind, Err: e}
}
