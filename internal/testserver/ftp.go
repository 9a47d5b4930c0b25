package testserver

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	ftpserver "github.com/fclairamb/ftpserverlib"
)

// TLSMode says how an FTP server offers TLS.
type TLSMode int

// The four ways.
const (
	NoTLS       TLSMode = iota // AUTH is unknown
	ExplicitTLS                // AUTH TLS on offer, plain FTP allowed
	RequiredTLS                // USER is refused before AUTH TLS, data connections without PROT P
	ImplicitTLS                // TLS from the first byte, as on port 990
)

// FTPOptions configures [StartFTP]. Root is required; every other zero value
// leaves a plain server with user "user" and password "password".
type FTPOptions struct {
	Root string // folder to serve; it must exist
	Addr string // address to listen on, default 127.0.0.1:0

	User     string // default "user"
	Password string // default "password"

	TLS       TLSMode
	TLSConfig *tls.Config // required unless NoTLS; cloned
	// RequireTLSReuse refuses data connections that do not resume a TLS
	// session, as vsftpd's require_ssl_reuse does. Any session will do.
	RequireTLSReuse bool

	Banner string // text of the 220 greeting
	// EnableHASH offers HASH, XCRC, XMD5, XSHA1, XSHA256 and XSHA512. The library
	// finds the files of these commands from the root, not from the working
	// directory: use absolute paths. It has no RANG.
	EnableHASH bool
	// Disable lists commands that are answered 500 and left out of FEAT, for
	// instance EPSV, MLST, MLSD, MFMT, MDTM, SIZE, REST, SITE, OPTS.
	Disable []string
	// RefuseOverwrite makes RNTO onto an existing name fail, as on FileZilla
	// Server and IIS. Otherwise the target is replaced.
	RefuseOverwrite bool

	// MaxConnections, when positive, greets further connections with 421.
	MaxConnections int
	// MaxLogins, when positive, answers the right password with 530 "maximum
	// number of clients" once that many sessions are logged in.
	MaxLogins int

	// PassivePorts chooses the ports of passive data connections; a fault proxy
	// in front of the data goes here. Nil lets the system choose.
	PassivePorts ftpserver.PasvPortGetter
	// IdleTimeout and DataTimeout bound the silence on a control connection
	// (default 15 min) and the wait for a data connection (default 30 s). The
	// library counts whole seconds; fractions are rounded up.
	IdleTimeout, DataTimeout time.Duration

	Access AccessFunc // refuses operations; nil allows all
	Disk   *Disk      // room for writes; nil has no end
	// OnStored is told of each file that was open for writing, by its path below
	// Root, when it has been closed and before the client is told; it may take it away.
	OnStored func(name string)

	// OnCommand sees every command before the library does and may answer in
	// its place by returning one reply line, "550 No", without line end. The
	// empty string passes the command on. Calls come from several sessions.
	OnCommand func(verb, argument string) string
	// OnReply sees every reply line before the client does, with the verb of
	// the command last received ("" for the greeting) and without line end. It
	// returns the line to send; the empty string sends none.
	OnReply func(verb, line string) string

	// Log receives the library's messages; nil discards them. They can contain
	// command lines with passwords.
	Log *slog.Logger
}

// FTPServer is a running FTP or FTPS server. Its methods are safe for
// concurrent use.
type FTPServer struct {
	opts     FTPOptions
	listener *net.TCPListener
	tree     *tree
	tracker  *tracker
	disabled map[string]bool
	counts   counters

	controlTLS, dataTLS *tls.Config

	mu        sync.Mutex
	connected int // control connections being served
	logins    int // of these, logged in

	served  chan struct{} // closed when the accept loop has ended
	closing sync.Once
	closed  error
}

// StartFTP starts a server; it accepts connections when this returns.
func StartFTP(opts FTPOptions) (*FTPServer, error) {
	s := &FTPServer{
		opts:     opts.withDefaults(),
		tracker:  newTracker(),
		disabled: make(map[string]bool),
		served:   make(chan struct{}),
	}
	for _, verb := range opts.Disable {
		s.disabled[strings.ToUpper(verb)] = true
	}
	if err := s.setTLS(); err != nil {
		return nil, fmt.Errorf("testserver: %w", err)
	}
	var err error
	if s.tree, err = openTree(opts.Root, opts.Access, opts.Disk, opts.OnStored, s.tracker); err != nil {
		return nil, fmt.Errorf("testserver: %w", err)
	}
	if s.listener, err = listenLoopback(s.opts.Addr); err != nil {
		return nil, errors.Join(fmt.Errorf("testserver: %w", err), s.tree.close())
	}
	server := ftpserver.NewFtpServer(&ftpDriver{server: s})
	if opts.Log != nil {
		server.Logger = opts.Log
	}
	if err := server.Listen(); err != nil {
		return nil, errors.Join(fmt.Errorf("testserver: %w", err), s.listener.Close(), s.tree.close())
	}
	go func() {
		defer close(s.served)
		// It ends with the listener, whose error says nothing new. The library's
		// own Stop is not used: it races with Serve for the listener field.
		_ = server.Serve()
	}()
	return s, nil
}

func (o FTPOptions) withDefaults() FTPOptions {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.User == "" {
		o.User = "user"
	}
	if o.Password == "" {
		o.Password = "password"
	}
	if o.Banner == "" {
		o.Banner = "ftpx test server"
	}
	return o
}

// setTLS prepares the two configurations. They share explicit ticket keys
// because a session from the control connection has to resume on a data
// connection, and since Go 1.26 a clone does not share automatic ones.
func (s *FTPServer) setTLS() error {
	if s.opts.TLS == NoTLS {
		return nil
	}
	if s.opts.TLSConfig == nil {
		return errors.New("TLS without a TLS configuration")
	}
	var key [32]byte
	if _, err := rand.Read(key[:]); err != nil {
		return err
	}
	s.controlTLS = s.opts.TLSConfig.Clone()
	s.controlTLS.SetSessionTicketKeys([][32]byte{key})
	s.dataTLS = s.controlTLS.Clone()
	if s.opts.RequireTLSReuse {
		verify := s.dataTLS.VerifyConnection
		s.dataTLS.VerifyConnection = func(state tls.ConnectionState) error {
			if !state.DidResume {
				return errors.New("data connection does not resume a TLS session")
			}
			if verify != nil {
				return verify(state)
			}
			return nil
		}
	}
	return nil
}

// Addr returns the address of the control port.
func (s *FTPServer) Addr() *net.TCPAddr { return s.listener.Addr().(*net.TCPAddr) }

// Port returns the control port.
func (s *FTPServer) Port() int { return s.Addr().Port }

// Stats returns what was counted so far.
func (s *FTPServer) Stats() Stats { return s.counts.snapshot() }

// CutSessions ends every control and data connection at once, as a restart of
// the server would, and returns how many there were. New ones are accepted.
func (s *FTPServer) CutSessions() int { return s.tracker.cut() }

// Close stops listening, ends every session and waits for them. It may be
// called more than once.
func (s *FTPServer) Close() error {
	s.closing.Do(func() {
		s.closed = s.listener.Close()
		<-s.served
		s.tracker.shut()
		s.closed = errors.Join(s.closed, s.tree.close())
	})
	return s.closed
}
