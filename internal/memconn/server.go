package memconn

import (
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// DefaultChunk is how much payload one I/O operation moves.
const DefaultChunk = 32 << 10

// Options say what a server pretends to be. The zero value speaks whatever
// protocol it is dialled for, at once, without limits.
type Options struct {
	// Protocol is the one protocol that is offered; dialling for another fails
	// with KindNotOffered. Zero means any.
	Protocol transport.Protocol
	// Files is what is on the disk; nil means an empty one of its own.
	Files *Files
	// Caps is what it says it can do, and does; nil means [DefaultCaps] of the
	// protocol spoken.
	Caps *transport.Caps
	// Password, if not empty, must be the endpoint's, or the login is refused.
	Password transport.Secret

	// MaxConns is how many connections may be open at once, 0 for any number;
	// beyond that dialling fails with KindBusy.
	MaxConns int
	// Linger is how long a connection that was lost, not closed, still counts
	// against MaxConns: the server has not noticed.
	Linger time.Duration
	// IdleTimeout ends connections that have been idle for so long; 0 for never.
	// Over SFTP that is seen at once, over FTP with the next command.
	IdleTimeout time.Duration

	// RoundTrip is the time from a request to its answer. Dialling takes two.
	RoundTrip time.Duration
	// Rate is how many bytes of payload a second move, 0 for any number.
	Rate int64
	// Chunk is how much payload one I/O operation moves at most, 0 for
	// [DefaultChunk].
	Chunk int

	// Vague makes the server say as little as OpenSSH and vsftpd do: "failure"
	// for a folder or file that exists or is not empty (KindTemporary over SFTP,
	// KindRefused over FTP), 553 for a missing folder on Store over FTP.
	Vague bool
	// NoRestart refuses a Store at an offset above 0 with KindRestart, as
	// ProFTPD does with AllowStoreRestart off.
	NoRestart bool
	// RefuseReplace refuses a Rename onto an existing file whatever Caps say.
	RefuseReplace bool
	// CutCosts makes whatever ends a transfer or a listing over FTP before its end
	// (a Limit, a yield that returns false, a source or destination that fails)
	// cost the connection, as on Pure-FTPd. Over SFTP it never does.
	CutCosts bool
	// LockFor is how long a file that a stalled or late session was storing
	// stays locked: a Store to it is not answered meanwhile and fails with
	// KindLocked if the endpoint's stall time ends first, as on vsftpd.
	LockFor time.Duration
}

// DefaultCaps returns what a good server of the protocol can do.
func DefaultCaps(p transport.Protocol) transport.Caps {
	if p == transport.SFTP {
		return transport.Caps{ReplaceOnRename: true, WriteWindow: 2 << 20, Truncate: true, SetTime: true, ExactTimes: true}
	}
	return transport.Caps{ReplaceOnRename: true, SetTime: true, ExactTimes: true}
}

// Server is a pretended server. Its methods may be called at any time from
// anywhere.
type Server struct {
	opts  Options
	files *Files

	mu     sync.Mutex // guards what follows; nothing waits while it is held
	inject Injector
	down   transport.Kind
	silent bool
	open   map[*Conn]struct{}
	gone   []time.Time // when connections that were lost stop counting
	stats  Stats
}

// Stats are a server's counters.
type Stats struct {
	// Dials counts attempts to connect, Logins those that succeeded.
	Dials, Logins int
	// Open is how many connections are open now, MostOpen how many were at once.
	Open, MostOpen int
	// Ops counts I/O operations: the N of the next.
	Ops int
	// Received and Sent count payload bytes that arrived at the server and that
	// it sent.
	Received, Sent int64
}

// New starts a server.
func New(opts Options) *Server {
	if opts.Files == nil {
		opts.Files = NewFiles()
	}
	if opts.Chunk <= 0 {
		opts.Chunk = DefaultChunk
	}
	return &Server{opts: opts, files: opts.Files, open: map[*Conn]struct{}{}}
}

// Files returns what is on the disk.
func (s *Server) Files() *Files { return s.files }

// Stats returns the counters.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	st.Open = len(s.open)
	return st
}

// Inject makes f judge every I/O operation from now on; nil for none. The count
// of operations goes on.
func (s *Server) Inject(f Injector) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inject = f
}

// SetDown says how dialling fails from now on: KindTimeout is a black hole,
// silent until the endpoint's connect budget is spent, KindUnreachable a refused
// connection, KindAuth a refused login, and so on; KindUnknown brings the server
// up again. Open connections are left alone, see Cut and SetSilent.
func (s *Server) SetDown(kind transport.Kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = kind
}

// SetSilent makes every I/O operation from now on, dialling included, stall, as
// when a firewall drops all packets; false ends that for those that come later.
func (s *Server) SetSilent(silent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent = silent
}

// Cut resets every open connection, as a restart of the server does, and
// returns how many there were.
func (s *Server) Cut() int {
	s.mu.Lock()
	var all []*Conn
	for c := range s.open {
		all = append(all, c)
	}
	s.mu.Unlock()
	for _, c := range all {
		c.lose(errReset)
	}
	return len(all)
}

// next numbers an I/O operation and asks what becomes of it.
func (s *Server) next(op OpInfo) Fault {
	s.mu.Lock()
	op.N = s.stats.Ops
	s.stats.Ops++
	f, silent := s.inject, s.silent
	s.mu.Unlock()
	if silent {
		return Fault{Do: Stall}
	}
	if f == nil {
		return Fault{}
	}
	return f(op)
}

// enter admits a connection if there is room.
func (s *Server) enter(c *Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	n := 0
	for _, t := range s.gone {
		if t.After(now) {
			s.gone[n] = t
			n++
		}
	}
	s.gone = s.gone[:n]
	if s.opts.MaxConns > 0 && len(s.open)+len(s.gone) >= s.opts.MaxConns {
		return false
	}
	s.open[c] = struct{}{}
	s.stats.Logins++
	s.stats.MostOpen = max(s.stats.MostOpen, len(s.open))
	c.id = s.stats.Logins
	return true
}

// leave takes a connection out; one that was lost may go on counting.
func (s *Server) leave(c *Conn, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.open[c]; !ok {
		return
	}
	delete(s.open, c)
	if !closed && s.opts.Linger > 0 {
		s.gone = append(s.gone, time.Now().Add(s.opts.Linger))
	}
}

// moved counts payload.
func (s *Server) moved(received, sent int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Received += received
	s.stats.Sent += sent
}
