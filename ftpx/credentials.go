package ftpx

import (
	"context"
	"sync"

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
	// Protocol is the one that is being spoken.
	Protocol Protocol
	// Refused is why the credential given before was refused; nil the first time.
	Refused error
}

// credentials keeps what [Options].Credentials has returned, one for each host,
// until a server refuses it. Logins that are refused together ask once.
type credentials struct {
	mu   sync.Mutex // guards what follows; held while the caller is asked
	held map[string]*Credential
}

// get returns the credential for a host, other than refused, which a server has
// just refused for the reason why.
func (cr *credentials) get(ctx context.Context, ask func(context.Context, CredentialRequest) (Credential, error), req CredentialRequest, refused *Credential) (*Credential, error) {
	cr.mu.Lock()
	defer cr.mu.Unlock()
	if have := cr.held[req.Host]; have != nil && have != refused {
		return have, nil
	}
	fresh, err := ask(ctx, req)
	if err != nil {
		return nil, &transport.Error{Op: "login", Addr: req.Host, Kind: transport.KindAuth, Protocol: req.Protocol, Err: err}
	}
	if cr.held == nil {
		cr.held = map[string]*Credential{}
	}
	cr.held[req.Host] = &fresh
	return &fresh, nil
}

// login connects, with the caller's credentials where there is a function for
// them. Where they are refused it is asked once more, since they may have been
// replaced since, and no third time, since servers lock accounts.
func (c *client) login(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
	ask := c.cfg.Credentials
	if ask == nil {
		return c.cfg.connect(ctx, ep)
	}
	req := CredentialRequest{Host: ep.Host, User: ep.User, Protocol: ep.Protocol}
	var refused *Credential
	for {
		cred, err := c.creds.get(ctx, ask, req, refused)
		if err != nil {
			return nil, err
		}
		with := *ep
		with.User = orDefault(cred.User, ep.User)
		with.Password = cred.Password
		with.SSH.Signers = append(cred.Signers[:len(cred.Signers):len(cred.Signers)], ep.SSH.Signers...)
		conn, err := c.cfg.connect(ctx, &with)
		if err == nil || refused != nil || transport.KindOf(err) != transport.KindAuth {
			return conn, err
		}
		refused, req.Refused = cred, err
	}
}
