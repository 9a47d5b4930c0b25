package tunnel

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A Scheme says how a hop is spoken to.
type Scheme string

// The schemes.
const (
	// SOCKS5 is a SOCKS version 5 proxy; it resolves the names.
	SOCKS5 Scheme = "socks5"
	// HTTP is an HTTP proxy that is spoken to in clear.
	HTTP Scheme = "http"
	// HTTPS is an HTTP proxy that is spoken to in TLS.
	HTTPS Scheme = "https"
	// SSH is a jump host.
	SSH Scheme = "ssh"
)

// DefaultKeepAlive is how often a silent jump host is asked whether it is there.
const DefaultKeepAlive = 10 * time.Second

var defaultPorts = map[Scheme]int{SOCKS5: 1080, HTTP: 80, HTTPS: 443, SSH: 22}

// A Hop is one proxy or jump host. [ParseHop] makes one of a URL.
type Hop struct {
	// Scheme says how to speak to it.
	Scheme Scheme
	// Host is a name or an address, without brackets. It is resolved by the
	// hop before, or on this machine for the first.
	Host string
	// Port is the port; 0 means 1080 for SOCKS5, 80 for HTTP, 443 for HTTPS
	// and 22 for SSH.
	Port int
	// User logs in to the hop; empty means no login, and is an error on SSH. A
	// proxy that is spoken to in clear shows it, and Password, to anyone on the way.
	User string
	// Password is the password of User, empty if there is none.
	Password transport.Secret
	// SSH holds keys and known hosts of a jump host, as for a server.
	SSH transport.SSH
	// TLS is for HTTPS alone; nil verifies the proxy's certificate with the
	// system's authorities. It is cloned; ServerName defaults to Host and
	// MinVersion to TLS 1.2.
	TLS *tls.Config
	// ConnectTimeout bounds one handshake with a jump host, which several
	// dials may share; 0 means [transport.DefaultConnectTimeout]. Proxies are
	// bounded by the context of the dial.
	ConnectTimeout time.Duration
	// KeepAlive is how long a jump host may be silent before it is asked
	// whether it is there; 0 means [DefaultKeepAlive]. After two such times
	// without an answer its connection is given up, and the next dial makes
	// another.
	KeepAlive time.Duration
}

// ParseHop reads socks5://, http://, https:// or ssh://, then
// user:password@host:port, of which user, password and port may be left out.
// socks5h:// is the same as socks5://. A jump host uses the SSH agent, if
// there is one, besides the password; set [Hop.SSH] for keys and known hosts.
// Errors do not quote the URL, which may hold a password.
func ParseHop(text string) (Hop, error) {
	u, err := url.Parse(text)
	if err != nil {
		// Its error quotes the whole.
		return Hop{}, errors.New("the URL of a hop cannot be parsed: write scheme://user:password@host:port, " +
			"and characters other than letters, digits and -._~ in user and password as %XX")
	}
	scheme := Scheme(strings.ToLower(u.Scheme))
	if scheme == "socks5h" {
		scheme = SOCKS5
	}
	if defaultPorts[scheme] == 0 {
		return Hop{}, fmt.Errorf("the URL of a hop has the scheme %q: use socks5, http, https or ssh", u.Scheme)
	}
	if u.Opaque != "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return Hop{}, errors.New("the URL of a hop has more than user, password, host and port: leave out path, ? and # (in a password, write them as %XX)")
	}
	h := Hop{Scheme: scheme, Host: u.Hostname(), User: u.User.Username()}
	if pw, ok := u.User.Password(); ok {
		h.Password = transport.Secret(pw)
	}
	if port := u.Port(); port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return Hop{}, fmt.Errorf("the URL of a hop has the port %q: use 1 to 65535", port)
		}
		h.Port = int(n)
	}
	if scheme == SSH {
		h.SSH.Agent = "auto"
	}
	return h, h.check()
}

// withDefaults checks a hop and fills in what is zero.
func (h Hop) withDefaults() (Hop, error) {
	if err := h.check(); err != nil {
		return h, err
	}
	if h.Port == 0 {
		h.Port = defaultPorts[h.Scheme]
	}
	if h.KeepAlive == 0 {
		h.KeepAlive = DefaultKeepAlive
	}
	return h, nil
}

func (h *Hop) check() error {
	switch {
	case defaultPorts[h.Scheme] == 0:
		return fmt.Errorf("Hop.Scheme is %q: use socks5, http, https or ssh", string(h.Scheme))
	case h.Host == "":
		return errors.New("Hop.Host is empty: name the proxy or jump host")
	case h.Port < 0 || h.Port > 65535:
		return fmt.Errorf("Hop.Port is %d: use 1 to 65535, or 0 for the scheme's own", h.Port)
	case h.KeepAlive < 0 || h.ConnectTimeout < 0:
		return errors.New("Hop.KeepAlive or Hop.ConnectTimeout is negative: use a positive time, or 0 for the default")
	case strings.ContainsAny(h.User+h.Password.Reveal(), "\r\n\x00"):
		return errors.New("Hop.User or Hop.Password holds CR, LF or NUL: remove it (a password file often ends with one)")
	case h.User == "" && h.Password != "":
		return errors.New("Hop.Password is set and Hop.User is not: name the user")
	case h.TLS != nil && h.Scheme != HTTPS:
		return fmt.Errorf("Hop.TLS is set on a hop of scheme %q, which has no TLS: use https, or leave it out", string(h.Scheme))
	}
	if err := checkTarget("tcp", net.JoinHostPort(h.Host, "1")); err != nil {
		return fmt.Errorf("field Hop.Host: %w", err)
	}
	switch h.Scheme {
	case SSH:
		if h.User == "" {
			return errors.New("Hop.User is empty: SSH needs a user name, as in ssh://user@host")
		}
	case SOCKS5:
		// RFC 1929 gives each a length of one byte; RFC 1929 has no empty ones.
		if len(h.User) > 255 || len(h.Password) > 255 {
			return errors.New("Hop.User or Hop.Password is longer than the 255 bytes that SOCKS5 takes")
		}
	default:
		if strings.Contains(h.User, ":") {
			return errors.New("Hop.User holds a colon, which Basic authentication cannot carry (RFC 7617): use another user")
		}
	}
	return nil
}

// addr is host:port of the hop itself.
func (h *Hop) addr() string { return net.JoinHostPort(h.Host, strconv.Itoa(h.Port)) }

// String returns the hop as a URL without the password.
func (h Hop) String() string {
	u := url.URL{Scheme: string(h.Scheme), Host: h.addr()}
	if h.Port == 0 {
		u.Host = net.JoinHostPort(h.Host, strconv.Itoa(defaultPorts[h.Scheme]))
	}
	if h.User != "" {
		u.User = url.User(h.User)
	}
	return u.String()
}
