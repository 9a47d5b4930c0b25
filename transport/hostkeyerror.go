package transport

import "errors"

// ErrHostKeyUnknown is in the error of a [KindHostKey] where no known_hosts file names the
// host, ErrHostKeyChanged where one names another key, or none of the pinned ones was shown.
// A revoked key, and a certificate that is not valid, are neither.
var (
	ErrHostKeyUnknown = errors.New("the host key is unknown")
	ErrHostKeyChanged = errors.New("the host key has changed")
)

// HostKeyError is in the error of a [KindHostKey]: whose key was refused, which, and why.
type HostKeyError struct {
	// Host is the host as known_hosts has it: a name or an address, as "[host]:port" where
	// the port is not 22.
	Host string
	// Addr is where the key was shown, host:port.
	Addr string
	// Fingerprint is that of the key that was shown, as ssh-keygen -l prints it, "" if it is
	// not about one key.
	Fingerprint string
	// Type is the key's, such as "ssh-ed25519".
	Type string
	// Jump says that it is the key of a jump host on the way, and not the server's.
	Jump bool
	// Text says why it was refused, and what to do.
	Text string
	// Err is [ErrHostKeyUnknown] or [ErrHostKeyChanged], nil for another reason.
	Err error
}

// Error says why the key was refused, and what to do.
func (e *HostKeyError) Error() string {
	if e.Jump {
		return "jump host: " + e.Text
	}
	return e.Text
}

// Unwrap returns Err. That of a jump host says nothing of the server, so that it is hidden.
func (e *HostKeyError) Unwrap() error {
	if e.Jump {
		return nil
	}
	return e.Err
}
