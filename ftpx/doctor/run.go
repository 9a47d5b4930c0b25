package doctor

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Run examines the hosts of a configuration, [ftpx.Config].Host and its Standbys, by each of
// its protocols, and reports what it found. It ends early when ctx does, with a report of what
// was examined until then and the context's error; what it wrote is removed even so, within
// 10 s. Other errors are about the arguments alone and name the field: nothing was dialled
// then. It may be repeated, and called by several goroutines.
//
// A default run over a healthy host takes a few seconds; one over a host that does not answer
// takes up to four times Options.StepTimeout for each protocol.
//
// Where the scratch folder cannot be written in, the report is complete but for that, and the
// error is a [*ScratchError].
func Run(ctx context.Context, cfg ftpx.Config, o *Options) (*Report, error) {
	opt, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	begin := time.Now()
	rep := &Report{Version: ReportVersion, Started: begin.UTC().Truncate(time.Second), Targets: []Target{}}
	keys := cfg.SSH.Keyring
	if keys == nil {
		keys = new(transport.Keyring)
	}
	var unwritten *ScratchError
	for _, host := range hostsOf(cfg) {
		host.ssh.Keyring = keys
		rep.Targets = append(rep.Targets, host.examine(ctx, cfg, &opt)...)
		rep.Left = append(rep.Left, host.left...)
		if host.invalid != nil {
			return rep, host.invalid
		}
		if host.unwritten != nil && unwritten == nil {
			unwritten = &ScratchError{Dir: opt.Scratch, Host: host.name, Err: host.unwritten}
		}
		if ctx.Err() != nil {
			break
		}
	}
	rep.Seconds = time.Since(begin).Round(time.Millisecond).Seconds()
	switch {
	case ctx.Err() != nil:
		rep.Incomplete = hidden(nil).failed(context.Cause(ctx))
		return rep, context.Cause(ctx)
	case unwritten != nil:
		rep.Incomplete = unwritten.Error()
		return rep, unwritten
	}
	return rep, nil
}

// ScratchError says that nothing could be written in [Options].Scratch.
type ScratchError struct {
	// Dir is the folder, Host the host.
	Dir, Host string
	// Err is why.
	Err error
}

// Error names the field and the remedy.
func (e *ScratchError) Error() string {
	return fmt.Sprintf("field Options.Scratch (--scratch): no folder can be made in %q on %s: name one that exists and that the user may write in (%s)",
		e.Dir, e.Host, hidden(nil).failed(e.Err))
}

// Unwrap returns the reason.
func (e *ScratchError) Unwrap() error { return e.Err }

// host is one host of a configuration, with what holds for it alone.
type host struct {
	name, user string
	password   ftpx.Secret
	ports      ftpx.Ports
	ssh        transport.SSH
	tls        transport.TLS
	left       []string // in the scratch folder
	unwritten  error    // why that could not be written in
	invalid    error    // what is wrong with the configuration or this machine's files
}

func hostsOf(cfg ftpx.Config) []*host {
	first := &host{name: cfg.Host, user: cfg.User, password: cfg.Password, ports: cfg.Ports, ssh: cfg.SSH, tls: cfg.TLS}
	out := []*host{first}
	for _, s := range cfg.Standbys {
		h := &host{name: s.Host, user: cmp.Or(s.User, cfg.User), password: cfg.Password, ports: cmp.Or(s.Ports, cfg.Ports), ssh: cfg.SSH, tls: cfg.TLS}
		if s.SSH != nil {
			h.ssh = *s.SSH
		}
		if s.TLS != nil {
			h.tls = *s.TLS
		}
		if s.User != "" || s.Password != "" {
			h.password = s.Password
		}
		out = append(out, h)
	}
	return out
}

// portFor is the port of a protocol, 0 for its own.
func portFor(p ftpx.Ports, proto ftpx.Protocol) int {
	switch proto {
	case ftpx.SFTP:
		return p.SFTP
	case ftpx.FTPSImplicit:
		return p.FTPSImplicit
	case ftpx.FTPS:
		return cmp.Or(p.FTPS, p.FTP)
	}
	return p.FTP
}

// examine goes through the protocols of one host.
func (h *host) examine(ctx context.Context, cfg ftpx.Config, opt *Options) []Target {
	protocols := cfg.Protocols
	if len(protocols) == 0 {
		protocols = []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS, ftpx.FTPSImplicit}
	}
	plain := false
	var secured []ftpx.Protocol
	for _, p := range protocols {
		if p == ftpx.FTP {
			plain = cfg.AllowPlaintext
		} else {
			secured = append(secured, p)
		}
	}
	if cfg.Credentials != nil {
		if err := h.ask(ctx, cfg); err != nil {
			return []Target{{Host: h.name, Address: h.name, Protocol: protocols[0], Findings: []Finding{{
				Code: codeOther, Layer: Client, Verdict: Fail, Evidence: []string{"the credentials could not be had: " + newHidden(cfg.Password.Reveal()).failed(err)},
				Remedy: "have Options.Credentials return a credential for this host",
			}}}}
		}
	}
	var all []*seen
	works := false
	for i, p := range protocols {
		if p == ftpx.FTP && (!plain || works && len(secured) > 0) {
			continue // a client would not use it either
		}
		if ctx.Err() != nil {
			break
		}
		s := h.target(cfg, p, opt)
		s.brief = works
		if i > 0 && len(all) > 0 {
			s.dns = all[0].dns
		} else {
			s.resolve(ctx, opt.Resolver)
		}
		s.examine(ctx)
		if s.stop != nil && (s.stop.kind == transport.KindInvalid || s.stop.kind == transport.KindLocal) {
			h.invalid = s.stop.err
			break
		}
		works = works || s.stop == nil
		all = append(all, s)
		h.left = append(h.left, s.scratch.lost...)
		if h.unwritten == nil {
			h.unwritten = s.scratch.err
		}
	}
	inClear(all)
	var out []Target
	for _, s := range all {
		out = append(out, s.judge(works))
	}
	return out
}

// inClear tells the examination by FTPS how the same went by plain FTP, where the
// configuration allows that: a firewall that reads the control connection opens ports that it
// cannot see under TLS.
func inClear(all []*seen) {
	for _, plain := range all {
		if plain.ep.Protocol != ftpx.FTP || !plain.data.tried {
			continue
		}
		for _, s := range all {
			if s.ep.Protocol == ftpx.FTPS {
				s.data.inClearTried, s.data.inClearErr = true, plain.data.dialErr
			}
		}
	}
}

// ask gets the host's credential, once.
func (h *host) ask(ctx context.Context, cfg ftpx.Config) error {
	cred, err := cfg.Credentials(ctx, ftpx.CredentialRequest{Host: h.name, User: h.user})
	if err != nil {
		return err
	}
	h.user, h.password = cmp.Or(cred.User, h.user), cred.Password
	h.ssh.Signers = append(cred.Signers[:len(cred.Signers):len(cred.Signers)], h.ssh.Signers...)
	return nil
}

func (h *host) target(cfg ftpx.Config, p ftpx.Protocol, opt *Options) *seen {
	ep := &transport.Endpoint{
		Protocol: p, Host: h.name, Port: portFor(h.ports, p), User: h.user, Password: h.password,
		SSH: h.ssh, TLS: h.tls, RequirePostQuantum: cfg.RequirePostQuantum, Charset: cfg.Charset, ListZone: cfg.FTP.ListZone,
		Dial: cfg.Dial, ActiveAddr: cfg.FTP.ActiveAddr, AfterLogin: cfg.FTP.AfterLogin, Stall: opt.StepTimeout, Learned: new(transport.Learned),
	}
	return &seen{ep: ep, opt: opt, hide: newHidden(h.password.Reveal())}
}

// examine makes all observations of one target.
func (s *seen) examine(ctx context.Context) {
	if s.dns.asked && len(s.dns.v4)+len(s.dns.v6) == 0 {
		s.stopAt(atResolved, "looking the name up", cmp.Or(s.dns.v4Err, s.dns.v6Err, error(errNoAddress)), reply{})
		return
	}
	s.reached = atResolved
	if s.ep.Protocol == ftpx.SFTP {
		s.sshProbe(ctx)
	} else {
		s.ftpProbe(ctx)
	}
	for _, t := range s.tcp.conns {
		t.count()
	}
	if ctx.Err() != nil {
		s.stop = nil // it ended for the caller's sake, and not for the server's
	}
	if s.stop == nil && s.opt.Scratch != "" && ctx.Err() == nil {
		s.writeScratch(ctx)
	}
	if s.stop == nil && s.opt.Connections > 0 && ctx.Err() == nil {
		s.loginsAtOnce(ctx)
	}
}

var errNoAddress = fmt.Errorf("the name has no address")

// judge asks every check that applies.
func (s *seen) judge(works bool) Target {
	t := Target{Host: s.ep.Host, Address: s.ep.Addr(), Protocol: s.ep.Protocol, Software: s.software, LoggedIn: s.loggedIn, Findings: []Finding{}}
	if s.server != "" {
		t.Server = s.hide.said(s.server)
	}
	t.Optional = works && s.stop != nil && s.absent()
	failed := "" // the code of what stopped it
	for i := range checks {
		c := &checks[i]
		if !c.applies(s) {
			continue
		}
		f := Finding{Code: c.Code, Layer: c.Layer}
		var j judgement
		if s.reached >= c.needs {
			j = c.judge(s)
		}
		if j.claims && s.claimed != "" {
			j = judgement{} // its symptom has been explained
		}
		if j.claims {
			s.claimed = c.Code
		}
		switch {
		case j.verdict != "":
			f.Verdict, f.Evidence, f.Seconds = j.verdict, j.evidence, j.took.Round(time.Millisecond).Seconds()
		case failed != "" && !c.OnRequest && c.Code != codeOther:
			f.Verdict, f.Because = Skipped, failed
		default:
			continue // there is nothing to say
		}
		if f.Verdict == Fail && t.Optional {
			f.Verdict = Note
			f.Evidence = append(f.Evidence, "another protocol of this host works, and is used in its place")
		}
		if (j.verdict == Fail || j.claims) && failed == "" {
			failed = c.Code
		}
		if f.Verdict.rank() > 0 {
			f.Remedy, f.Directive = c.Remedy, c.Directives[s.software]
		}
		t.Findings = append(t.Findings, f)
	}
	t.Software = s.software // a check may have recognised it
	return t
}

// absent reports whether the protocol is not to be had here, as against one that is and
// fails.
func (s *seen) absent() bool {
	switch s.stop.at {
	case atConnected:
		return true
	case atGreeted, atProtected:
		return s.notOffered()
	}
	return false
}
