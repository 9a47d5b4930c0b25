package testserver

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
)

// SFTPOptions configures [StartSFTP]. Root is required; every other zero value
// leaves a server with user "user", password "password" and a fresh host key.
type SFTPOptions struct {
	Root string // folder to serve; it must exist. "/" and "" are both this folder
	Addr string // address to listen on, default 127.0.0.1:0

	User     string // default "user"
	Password string // default "password"

	// NoPassword turns the method "password" off; keys and
	// keyboard-interactive remain as configured.
	NoPassword bool
	// KeyboardInteractive offers that method, with one question whose answer is
	// Password.
	KeyboardInteractive bool
	// AuthorizedKeys may log in as User.
	AuthorizedKeys []ssh.PublicKey
	// UserCA, when not nil, is trusted to certify keys for User.
	UserCA ssh.PublicKey
	// MaxAuthTries ends a connection after so many failures; 0 means 6.
	MaxAuthTries int

	// HostKeys are presented in the client's order of preference; a signer made
	// of a host certificate goes here too. Empty makes an ed25519 key.
	HostKeys []ssh.Signer
	// Version is the identification string, which has to begin with "SSH-2.0-".
	Version string
	// Banner is shown before authentication.
	Banner string

	// MaxStartups, when positive, is how many connections may be between accept
	// and login; further ones are closed before a byte of SSH is sent, as sshd
	// does.
	MaxStartups int
	// StartupsMessage is sent to those first. OpenSSH 9.2 sends "Exceeded
	// MaxStartups\r\n", newer ones "Not allowed at this time\r\n".
	StartupsMessage string
	// MaxSessions, when positive, bounds the session channels of one connection.
	MaxSessions int
	// LoginGrace bounds the time from accept to login, default 2 min.
	LoginGrace time.Duration

	// HideExtensions are left out of the server's announcement and refused:
	// posix-rename@openssh.com, hardlink@openssh.com. The library knows these
	// and statvfs@openssh.com, which is always hidden because it is not
	// implemented; it has neither fsync, limits nor check-file.
	HideExtensions []string
	// ReuseHandles answers a request to open with a handle that is still open, as soon as
	// there are three, as Erlang/OTP's ssh_sftpd does; each request is carried out before
	// the next is looked at.
	ReuseHandles bool
	// Habits, when not nil, are those of other servers. ReuseHandles takes their place.
	Habits *SFTPHabits
	// WholeObjects stores what was written to a file when the file is closed, as
	// "rclone serve sftp" does: a write that is not the next one is refused, and where a
	// session is lost its files are closed Linger later, under whatever name they
	// have by then, with what had come of them.
	WholeObjects bool
	Linger       time.Duration
	// MaxReadLength is the longest answer to one read, in bytes: 261120 as in
	// OpenSSH by default, at least 32768. Clients that ask for more get less.
	MaxReadLength uint32

	Access AccessFunc // refuses operations; nil allows all
	Disk   *Disk      // room for writes; nil has no end
	// OnStored is told of each file that was open for writing, by its path below
	// Root, when it has been closed and before the client is told; it may take it away.
	OnStored func(name string)

	// Configure, when not nil, may change the SSH configuration (algorithms,
	// callbacks) before the server starts.
	Configure func(*ssh.ServerConfig)
}

// SFTPServer is a running SSH server with nothing but the sftp subsystem. Its
// methods are safe for concurrent use.
type SFTPServer struct {
	opts      SFTPOptions
	config    *ssh.ServerConfig
	listener  *net.TCPListener
	tree      *tree
	tracker   *tracker
	counts    counters
	hidden    map[string]bool
	startups  atomic.Int64
	objects   *objects // nil without WholeObjects
	penalties penalties

	served  chan struct{}
	closing sync.Once
	closed  error
}

// StartSFTP starts a server; it accepts connections when this returns.
func StartSFTP(opts SFTPOptions) (*SFTPServer, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("testserver: %w", err)
	}
	s := &SFTPServer{
		opts:    opts,
		config:  opts.serverConfig(),
		tracker: newTracker(),
		hidden:  map[string]bool{extStatVFS: true},
		served:  make(chan struct{}),
	}
	for _, name := range opts.HideExtensions {
		s.hidden[name] = true
	}
	if opts.Configure != nil {
		opts.Configure(s.config)
	}
	if opts.WholeObjects {
		s.objects = &objects{linger: opts.Linger, open: map[*object]bool{}}
	}
	if s.tree, err = openTree(opts.Root, opts.Access, opts.Disk, opts.OnStored, s.tracker); err != nil {
		return nil, fmt.Errorf("testserver: %w", err)
	}
	if s.listener, err = listenLoopback(opts.Addr); err != nil {
		return nil, errors.Join(fmt.Errorf("testserver: %w", err), s.tree.close())
	}
	go s.serve()
	return s, nil
}

func (o SFTPOptions) withDefaults() (SFTPOptions, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.User == "" {
		o.User = "user"
	}
	if o.Password == "" {
		o.Password = "password"
	}
	if o.LoginGrace == 0 {
		o.LoginGrace = 2 * time.Minute
	}
	if o.MaxReadLength == 0 {
		o.MaxReadLength = 256<<10 - 1024
	}
	if len(o.HostKeys) == 0 {
		key, err := pki.NewSSHKey()
		if err != nil {
			return o, err
		}
		o.HostKeys = []ssh.Signer{key.Signer}
	}
	return o, nil
}

// Addr returns the address of the SSH port.
func (s *SFTPServer) Addr() *net.TCPAddr { return s.listener.Addr().(*net.TCPAddr) }

// Port returns the SSH port.
func (s *SFTPServer) Port() int { return s.Addr().Port }

// HostKey returns the first host key, for a known_hosts line.
func (s *SFTPServer) HostKey() ssh.PublicKey { return s.opts.HostKeys[0].PublicKey() }

// Stats returns what was counted so far.
func (s *SFTPServer) Stats() Stats { return s.counts.snapshot() }

// CutSessions ends every connection at once, as a restart of the server would,
// and returns how many there were. New ones are accepted.
func (s *SFTPServer) CutSessions() int { return s.tracker.cut() }

// Close stops listening, ends every session and waits for them. It may be
// called more than once.
func (s *SFTPServer) Close() error {
	s.closing.Do(func() {
		s.closed = s.listener.Close()
		<-s.served
		s.objects.shut()
		s.tracker.shut()
		s.closed = errors.Join(s.closed, s.tree.close())
	})
	return s.closed
}
