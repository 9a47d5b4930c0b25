package ftpx

import (
	"context"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Credential is what a login is made with.
type Credential struct {
	// User is the login name; empty keeps the one given.
	User string
	// Password is the password, empty for none.
	Password Secret
	// Signers are SSH keys, offered before those of [transport.SSH].
	Signers []ssh.Signer
}

// CredentialRequest says what a credential is wanted for.
type CredentialRequest struct {
	// Host is the host's name.
	Host string
	// User is the login name as configured.
	User string
	// Refused is why the credential given before was refused; nil the first time.
	Refused error
}

// credentials keeps what [Options].Credentials has returned, one for each host
// and user, until a server refuses it. Logins that are refused together ask once.
type credentials struct {
	ask  func(context.Context, CredentialRequest) (Credential, error) // nil for none
	turn chan struct{}                                                // holds a token while held is in use
	held map[CredentialRequest]*Credential                            // by requests without Refused
}

func newCredentials(ask func(context.Context, CredentialRequest) (Credential, error)) *credentials {
	return &credentials{ask: ask, turn: make(chan struct{}, 1), held: map[CredentialRequest]*Credential{}}
}

// get returns a credential other than refused, which a server has just refused
// for the reason why. Whoever comes while the caller is being asked waits for
// that answer, or until its context ends.
func (cr *credentials) get(ctx context.Context, ep *transport.Endpoint, refused *Credential, why error) (*Credential, error) {
	select {
	case cr.turn <- struct{}{}:
		defer func() { <-cr.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	req := CredentialRequest{Host: ep.Host, User: ep.User}
	if have := cr.held[req]; have != nil && have != refused {
		return have, nil
	}
	asking := req
	asking.Refused = why
	fresh, err := cr.ask(ctx, asking)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, ep.Fail("login", "", transport.KindAuth, err)
	}
	cr.held[req] = &fresh
	return &fresh, nil
}

// fetch gets the credential of a host before it is dialled: the time that this
// takes must not count as the host's silence, for which another protocol or
// another host would win.
func (cr *credentials) fetch(ctx context.Context, ep *transport.Endpoint) error {
	if cr.ask == nil {
		return nil
	}
	_, err := cr.get(ctx, ep, nil, nil)
	return err
}

// login connects, with the caller's credentials where there is a function for
// them. Where they are refused it is asked once more, since they may have been
// replaced since, and no third time, since servers lock accounts.
func (c *client) login(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
	if c.creds.ask == nil {
		return c.cfg.Connect(ctx, ep)
	}
	var refused *Credential
	var why error
	for {
		cred, err := c.creds.get(ctx, ep, refused, why)
		if err != nil {
			return nil, err
		}
		with := *ep
		with.User = orDefault(cred.User, ep.User)
		with.Password = cred.Password
		with.SSH.Signers = append(cred.Signers[:len(cred.Signers):len(cred.Signers)], ep.SSH.Signers...)
		conn, err := c.cfg.Connect(ctx, &with)
		if err == nil || refused != nil || transport.KindOf(err) != transport.KindAuth {
			return conn, err
		}
		refused, why = cred, err
	}
}
