package doctor

import (
	"crypto/x509"
	"net/netip"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// step is how far the examination of a target came.
type step int

// The steps, each of which needs the one before it.
const (
	atStart     step = iota
	atResolved       // the name has addresses
	atConnected      // TCP stands
	atGreeted        // the server has named itself
	atProtected      // TLS or the key exchange stands, the identity is proven
	atLoggedIn       // the login was accepted
	atServed         // files can be seen: the SFTP subsystem runs, a listing came over FTP
)

// seen is all that was observed of one target. The probes fill it in; the checks judge it
// and do nothing else.
type seen struct {
	ep   *transport.Endpoint
	opt  *Options
	hide hidden

	reached  step
	stop     *stop // why it went no further; nil where it went to the end
	claimed  string
	loggedIn bool
	// brief: another protocol works, so that nobody waits long for this one.
	brief bool

	server   string // greeting or SSH version
	software Software

	dns     seenDNS
	tcp     seenTCP
	tls     seenTLS
	ssh     seenSSH
	ftp     seenFTP
	data    seenData
	scratch seenScratch
	asked   seenAsked
}

// stop is why an examination ended before its end.
type stop struct {
	at   step           // the step that was being tried for
	what string         // in words: "waiting for the greeting"
	err  error          // what came up
	kind transport.Kind // what that means
	code int            // the FTP reply's code, 0 for none
	text string         // the FTP reply's text
}

// seenDNS is what the resolver said, of each family apart.
type seenDNS struct {
	asked          bool // false for an address, or where Dial resolves by itself
	v4, v6         []netip.Addr
	v4Took, v6Took time.Duration
	v4Err, v6Err   error
}

// attempt is one TCP connect.
type attempt struct {
	addr string
	v6   bool
	took time.Duration
	err  error
}

// seenTCP is what connecting showed.
type seenTCP struct {
	attempts []attempt
	conns    []*tap // all that stood, control and data, in order
	// smallWorks: what timed out with packets of full size went through with small ones.
	smallTried, smallWorks bool
	smallWhat              string
}

// last returns the newest connection, nil for none.
func (t *seenTCP) last() *tap {
	if len(t.conns) == 0 {
		return nil
	}
	return t.conns[len(t.conns)-1]
}

// seenTLS is what the handshake of the control connection showed.
type seenTLS struct {
	version  string
	hybrid   bool
	exchange string
	chain    []*x509.Certificate // as the server sent it, verified or not
	verify   error               // why it did not verify
	took     time.Duration
	// older are versions that the server takes where ours were refused.
	older []string
	// lacksHybrid: the handshake failed for a post-quantum part that the caller demands.
	lacksHybrid bool
}

// seenSSH is what the SSH connection showed.
type seenSSH struct {
	kexInit  *kexInit // nil where it did not come
	security *transport.Security
	op       string // the step at which the driver failed
	version  time.Duration
	login    time.Duration
	space    *transport.Space
}

// seenFTP is what the control connection showed.
type seenFTP struct {
	greeting     reply
	greetingTook time.Duration
	user, pass   reply
	loginTook    time.Duration
	syst, feat   reply
	epsv, pasv   reply
	rest         reply
	verbs        []verbTried
	pipelined    error // of two commands in one write, where one at a time worked
	pipelinedSet bool
	avbl         reply
}

// verbTried is a command that a client relies on, tried on a name that does not exist.
type verbTried struct {
	verb   string
	listed bool // FEAT lists it
	reply  reply
}

// seenData is what the data connection of a listing showed.
type seenData struct {
	tried     bool
	addr      string // what was dialled
	passive   string // the address that PASV names
	control   string // the address of the control connection
	dialErr   error
	dialTook  time.Duration
	tlsErr    error
	resumed   bool
	reply     reply // the first that was not 1xx
	readErr   error
	bytes     int64
	notified  bool // TLS ended with close_notify
	notifySet bool
	// inClear says how the same went without TLS, where that was tried.
	inClearTried bool
	inClearErr   error
}

// seenScratch is what writing showed.
type seenScratch struct {
	tried     bool
	err       error // of making the folder
	storeErr  error
	resumeGet error // a download from the middle
	resumePut error // an upload that goes on
	replace   error // a rename to a name that is taken
	rename    error // to one that is free, where that failed
	offset    time.Duration
	offsetSet bool
	hash      string
	hashErr   error
	cutWhole  bool  // the upload was whole, its reply was lost
	slowErr   error // of the slow upload
	slowTried bool
	lost      []string
}

// seenAsked is what only a request brings.
type seenAsked struct {
	idleTried bool
	idleTook  time.Duration
	idleErr   error
	idleReply reply
	manyTried bool
	many      int // logins that stood at once
	manyErr   error
}

// failing reports whether the examination stopped while trying for one of these steps.
func (s *seen) failing(at ...step) bool {
	if s.stop == nil {
		return false
	}
	for _, a := range at {
		if s.stop.at == a {
			return true
		}
	}
	return false
}
