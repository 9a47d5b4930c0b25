package testserver

import (
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	ftpserver "github.com/fclairamb/ftpserverlib"
)

// ftpDriver is what ftpserverlib asks about the server as a whole.
type ftpDriver struct {
	server *FTPServer
}

var (
	_ ftpserver.MainDriver                         = (*ftpDriver)(nil)
	_ ftpserver.MainDriverExtensionPassiveWrapper  = (*ftpDriver)(nil)
	_ ftpserver.MainDriverExtensionPostAuthMessage = (*ftpDriver)(nil)
)

var (
	errLogin   = errors.New("login incorrect")
	errMaximum = errors.New("maximum number of clients")
)

// GetSettings is part of ftpserver.MainDriver.
func (d *ftpDriver) GetSettings() (*ftpserver.Settings, error) {
	opts := d.server.opts
	settings := &ftpserver.Settings{
		Listener:                 controlListener{server: d.server},
		ListenAddr:               d.server.Addr().String(),
		Banner:                   opts.Banner,
		PassiveTransferPortRange: opts.PassivePorts,
		IdleTimeout:              seconds(opts.IdleTimeout),
		ConnectionTimeout:        seconds(opts.DataTimeout),
		EnableHASH:               opts.EnableHASH,
		ActiveTransferPortNon20:  true,
		// A proxy in front of one of the two connections changes its address.
		ActiveConnectionsCheck: ftpserver.IPMatchDisabled,
		PasvConnectionsCheck:   ftpserver.IPMatchDisabled,
	}
	if opts.TLS == ImplicitTLS {
		// Data connections are then encrypted without PROT P.
		settings.TLSRequired = ftpserver.ImplicitEncryption
	}
	return settings, nil
}

// seconds rounds up; the library takes 0 for its default.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// ClientConnected is part of ftpserver.MainDriver.
func (d *ftpDriver) ClientConnected(ftpserver.ClientContext) (string, error) {
	return d.server.opts.Banner, nil
}

// ClientDisconnected is part of ftpserver.MainDriver.
func (d *ftpDriver) ClientDisconnected(cc ftpserver.ClientContext) {
	d.server.addControl(-1)
	if cc.Extra() != nil {
		d.server.logout()
	}
}

// AuthUser is part of ftpserver.MainDriver.
func (d *ftpDriver) AuthUser(cc ftpserver.ClientContext, user, pass string) (ftpserver.ClientDriver, error) {
	s := d.server
	sameUser := subtle.ConstantTimeCompare([]byte(user), []byte(s.opts.User))
	samePass := subtle.ConstantTimeCompare([]byte(pass), []byte(s.opts.Password))
	if sameUser&samePass == 0 {
		s.counts.failures.Add(1)
		return nil, errLogin
	}
	if cc.Extra() == nil {
		if err := s.login(); err != nil {
			return nil, err
		}
		cc.SetExtra(true)
	}
	return &ftpFs{tree: s.tree, refuseOverwrite: s.opts.RefuseOverwrite}, nil
}

// PostAuthMessage is part of ftpserver.MainDriverExtensionPostAuthMessage. The
// words are vsftpd's and ProFTPD's; the code is 530 for both refusals.
func (d *ftpDriver) PostAuthMessage(_ ftpserver.ClientContext, _ string, err error) string {
	switch {
	case err == nil:
		return "Login successful."
	case errors.Is(err, errMaximum):
		return fmt.Sprintf("Sorry, the maximum number of clients (%d) from your host are already connected.",
			d.server.opts.MaxLogins)
	default:
		return "Login incorrect."
	}
}

// GetTLSConfig is part of ftpserver.MainDriver. The control connection's TLS is
// ended before the library, so this is asked for data connections and for FEAT.
func (d *ftpDriver) GetTLSConfig() (*tls.Config, error) {
	if d.server.dataTLS == nil {
		return nil, errors.New("no TLS here")
	}
	return d.server.dataTLS, nil
}

// WrapPassiveListener is part of ftpserver.MainDriverExtensionPassiveWrapper.
func (d *ftpDriver) WrapPassiveListener(listener net.Listener) (net.Listener, error) {
	return &passiveListener{Listener: listener, server: d.server}, nil
}

func (s *FTPServer) login() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opts.MaxLogins > 0 && s.logins >= s.opts.MaxLogins {
		s.counts.refused.Add(1)
		return errMaximum
	}
	s.logins++
	s.counts.logins.Add(1)
	return nil
}

func (s *FTPServer) logout() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logins--
}

// addControl counts the control connections that are being served.
func (s *FTPServer) addControl(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connected += n
}

func (s *FTPServer) controls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connected
}
