package testserver

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"slices"

	"golang.org/x/crypto/ssh"
)

// errAuth never reaches a client: the protocol says only that a method failed.
var errAuth = errors.New("authentication refused")

// serverConfig translates the options into x/crypto's configuration.
func (o SFTPOptions) serverConfig() *ssh.ServerConfig {
	config := &ssh.ServerConfig{
		MaxAuthTries:  o.MaxAuthTries,
		ServerVersion: o.Version,
	}
	if o.Banner != "" {
		config.BannerCallback = func(ssh.ConnMetadata) string { return o.Banner }
	}
	if !o.NoPassword {
		config.PasswordCallback = func(conn ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			return o.login(conn.User(), password)
		}
	}
	if o.KeyboardInteractive {
		config.KeyboardInteractiveCallback = func(
			conn ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge,
		) (*ssh.Permissions, error) {
			// An unknown user is asked as well, as sshd does.
			answers, err := ask("", "", []string{"Password: "}, []bool{false})
			if err != nil {
				return nil, err
			}
			if len(answers) != 1 {
				return nil, errAuth
			}
			return o.login(conn.User(), []byte(answers[0]))
		}
	}
	if len(o.AuthorizedKeys) > 0 || o.UserCA != nil {
		config.PublicKeyCallback = o.publicKeyCallback()
	}
	for _, key := range o.HostKeys {
		config.AddHostKey(key)
	}
	return config
}

func (o SFTPOptions) login(user string, password []byte) (*ssh.Permissions, error) {
	sameUser := subtle.ConstantTimeCompare([]byte(user), []byte(o.User))
	samePass := subtle.ConstantTimeCompare(password, []byte(o.Password))
	if sameUser&samePass == 0 {
		return nil, errAuth
	}
	return nil, nil
}

func (o SFTPOptions) publicKeyCallback() func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) {
	checker := &ssh.CertChecker{
		IsUserAuthority: func(key ssh.PublicKey) bool {
			return o.UserCA != nil && sameKey(key, o.UserCA)
		},
		UserKeyFallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if !slices.ContainsFunc(o.AuthorizedKeys, func(known ssh.PublicKey) bool { return sameKey(key, known) }) {
				return nil, errAuth
			}
			return nil, nil
		},
	}
	return func(conn ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		// The fallback does not look at the user, and a certificate for another
		// principal must not log in as this one.
		if conn.User() != o.User {
			return nil, errAuth
		}
		return checker.Authenticate(conn, key)
	}
}

func sameKey(a, b ssh.PublicKey) bool { return bytes.Equal(a.Marshal(), b.Marshal()) }

// configFor returns the configuration of one connection. It counts its logins and
// calls loggedIn before the client learns that it is in: a client that then opens
// another connection must not meet a MaxStartups that still counts this one.
func (s *SFTPServer) configFor(loggedIn func()) *ssh.ServerConfig {
	config := *s.config
	log := config.AuthLogCallback
	config.AuthLogCallback = func(conn ssh.ConnMetadata, method string, err error) {
		switch {
		case err == nil:
			s.counts.logins.Add(1)
			loggedIn()
		case method != "none": // that is how clients ask what there is
			s.counts.failures.Add(1)
		}
		if log != nil {
			log(conn, method, err)
		}
	}
	return &config
}
