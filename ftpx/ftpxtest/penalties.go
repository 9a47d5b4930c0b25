package ftpxtest

import (
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// Penalties are OpenSSH's PerSourcePenalties, which sshd has by default since 9.8: who
// connects and leaves, or fails to log in, is refused for a while, every connection of that
// address, with the words "Not allowed at this time". Durations add up; see sshd_config(5).
// Zero is no penalty.
type Penalties struct {
	// NoAuth is for connections that leave without an attempt to log in.
	NoAuth time.Duration
	// AuthFail is for connections that leave after attempts that failed.
	AuthFail time.Duration
	// GraceExceeded is for connections that are there when the time to log in is over.
	GraceExceeded time.Duration
	// Min is what must have come together before it is enforced.
	Min time.Duration
	// Max is what comes together at most.
	Max time.Duration
}

// DefaultPenalties are those of an sshd that is not configured otherwise: 1 s, 5 s and 10 s,
// enforced beyond 15 s, 10 minutes at most.
func DefaultPenalties() Penalties { return Penalties(testserver.DefaultPenalties()) }

// SetPenalties has the SSH server punish addresses from now on, or, with nil, no more; what
// has come together is forgotten. All clients of a test have one address.
func (s *Server) SetPenalties(p *Penalties) { s.trio.SFTP.SetPenalties((*testserver.Penalties)(p)) }
