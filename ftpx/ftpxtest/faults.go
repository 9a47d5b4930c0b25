package ftpxtest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Cut resets every connection that is open, as a restart of the server or of a
// firewall does, and returns how many there were. New ones are taken.
func (s *Server) Cut() int { return s.proxy.Cut(faultproxy.Reset) }

// ResetAfter makes a bad line: each connection that is opened from now on is reset
// once n bytes have gone over it, in both directions together; over FTP that is
// each data connection. SSH connections that are open are reset at once, so that
// the count holds for all. What connecting and comparing costs is counted too: a
// transfer over SFTP gets ahead with 1 MiB and more. [Server.Up] ends it.
func (s *Server) ResetAfter(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	plan := faultproxy.ResetEvery(max(n, 1))
	s.data.SetPlan(plan)
	if r := s.routes[ftpx.SFTP]; r != nil {
		r.SetPlan(plan)
		s.proxy.Cut(faultproxy.Reset, faultproxy.SSH)
	}
}

// RefuseLogins refuses the next n logins as if the password were wrong. A client
// takes the first such answer for final, unless it has [ftpx.Options].Credentials.
func (s *Server) RefuseLogins(n int) { s.refuse.Store(int64(n)) }

// Stall makes the line silent: nothing that is sent arrives any more, nothing is
// closed, and new connections are taken and not answered. A client notices by its
// [ftpx.Timeouts].Stall and Connect. [Server.Up] ends it, and what
// was held back goes on.
func (s *Server) Stall() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plan(faultproxy.Always(faultproxy.BlackHoled()))
	s.proxy.Cut(faultproxy.Stall)
}

// Down takes the server away: its ports are closed and its connections reset.
func (s *Server) Down() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.routes {
		r.Refuse()
	}
	s.proxy.Cut(faultproxy.Reset)
}

// Up ends all faults, on the same ports as before. It fails only where another
// program has taken one of them in the meantime.
func (s *Server) Up() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse.Store(0)
	s.plan(nil)
	for _, r := range s.routes {
		if err := r.Accept(); err != nil {
			return fmt.Errorf("ftpxtest: %w", err)
		}
	}
	s.proxy.Lift()
	return nil
}

// plan sets the fate of the connections to come.
func (s *Server) plan(p faultproxy.Plan) {
	s.data.SetPlan(p)
	for _, r := range s.routes {
		r.SetPlan(p)
	}
}

// refused takes one of the logins that are to be refused.
func (s *Server) refused() bool {
	for {
		n := s.refuse.Load()
		if n <= 0 {
			return false
		}
		if s.refuse.CompareAndSwap(n, n-1) {
			return true
		}
	}
}

func (s *Server) refuseFTP(o *testserver.FTPOptions) {
	o.OnCommand = func(verb, _ string) string {
		if verb == "PASS" && s.refused() {
			return "530 Login incorrect."
		}
		return ""
	}
}

func (s *Server) refuseSSH(o *testserver.SFTPOptions) {
	o.Configure = func(config *ssh.ServerConfig) {
		login := config.PasswordCallback
		config.PasswordCallback = func(conn ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			if s.refused() {
				return nil, fmt.Errorf("login of %q refused on demand", conn.User())
			}
			return login(conn, password)
		}
	}
}

// Stats are the counters of a [Server] since it was started.
type Stats struct {
	// Connections counts those that the servers have accepted, FTP's data
	// connections left out.
	Connections int64
	// Logins counts those that succeeded.
	Logins int64
	// Received and Sent count bytes on FTP data connections and SSH connections,
	// as the server sees them.
	Received, Sent int64
	// Resets counts connections that were reset by the test.
	Resets int64
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	st := Stats{Resets: s.proxy.Stats().Resets}
	for _, c := range []testserver.Stats{s.trio.SFTP.Stats(), s.trio.FTP.Stats(), s.trio.FTPS.Stats()} {
		st.Connections += c.Accepted
		st.Logins += c.Logins
		st.Received += c.Received
		st.Sent += c.Sent
	}
	return st
}

// Fault is an error of a kind for [Client.FailNext], as a driver would report it: it
// answers errors.Is for fs.ErrNotExist, fs.ErrExist and fs.ErrPermission by its kind, and
// [ftpx.KindOf] tells the kind.
func Fault(kind ftpx.Kind) error {
	return &transport.Error{Op: "test", Protocol: ftpx.SFTP, Kind: kind, Err: errFault}
}

var errFault = errors.New("a fault of the test")

// outcomeOf is that of a call that fails with err: what may have acted is not known.
func outcomeOf(err error) ftpx.Outcome {
	var te *transport.Error
	if errors.As(err, &te) && te.MayHaveActed {
		return ftpx.Unknown
	}
	return ftpx.NotDone
}

// operations are the names that [Client.FailNext] and [Client.Calls] take.
func operations() []string {
	return []string{"upload", "download", "put", "get", "stat", "list", "rename", "remove", "mkdir", "chtimes", "chmod", "symlink",
		"readlink", "space", "raw", "ping", "read"}
}

// checkOperation panics for a name that no call has: a test would wait for a fault that
// never comes, and pass.
func checkOperation(op string) {
	if !slices.Contains(operations(), op) {
		panic(fmt.Sprintf("ftpxtest: there is no operation %q: use one of %s", op, strings.Join(operations(), ", ")))
	}
}
