package tunnel

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// socksHop dials through a SOCKS5 proxy.
//
// This is not golang.org/x/net/proxy: that wraps the connection, which costs the
// *net.TCPConn, and tells the reply codes apart by their text alone.
type socksHop struct {
	hop Hop
	way transport.DialFunc
}

// RFC 1928 and RFC 1929.
const (
	socksVersion   = 5
	socksNoAuth    = 0
	socksPassword  = 2
	socksConnect   = 1
	socksIPv4      = 1
	socksName      = 3
	socksIPv6      = 4
	socksLoginVers = 1
)

func (s *socksHop) dial(ctx context.Context, network, address string) (net.Conn, error) {
	request, err := socksRequest(address)
	if err != nil {
		return nil, s.hop.serverFailure(ctx, transport.KindInvalid, address, err)
	}
	conn, err := s.way(ctx, "tcp", s.hop.addr())
	if err != nil {
		return nil, s.hop.hopFailure(ctx, err)
	}
	err = handshake(ctx, conn, func() error {
		if err := s.login(conn); err != nil {
			return err
		}
		if _, err := conn.Write(request); err != nil {
			return err
		}
		if err := socksReply(conn); err != nil {
			return asked{err}
		}
		return nil
	})
	if err != nil {
		return nil, s.hop.talkFailure(ctx, address, err)
	}
	return settle(conn, address), nil
}

// login agrees on a method and logs in.
func (s *socksHop) login(conn net.Conn) error {
	methods := []byte{socksNoAuth}
	if s.hop.User != "" {
		methods = append(methods, socksPassword)
	}
	if _, err := conn.Write(append([]byte{socksVersion, byte(len(methods))}, methods...)); err != nil {
		return err
	}
	var answer [2]byte
	if _, err := io.ReadFull(conn, answer[:]); err != nil {
		return err
	}
	switch {
	case answer[0] != socksVersion:
		return notSOCKS(answer[0])
	case answer[1] == socksNoAuth:
		return nil
	case answer[1] == socksPassword && s.hop.User != "":
		return s.password(conn)
	case answer[1] == 0xff && s.hop.User == "":
		return &refusal{transport.KindAuth, "the proxy wants a login: put user:password@ into its URL"}
	case answer[1] == 0xff:
		return &refusal{transport.KindAuth, "the proxy takes no login by user name and password: see what its configuration demands"}
	}
	return &refusal{transport.KindProtocol, fmt.Sprintf("the proxy chose the authentication method %#x, which was not offered", answer[1])}
}

// password is RFC 1929.
func (s *socksHop) password(conn net.Conn) error {
	user, pw := s.hop.User, s.hop.Password.Reveal()
	b := append([]byte{socksLoginVers, byte(len(user))}, user...)
	b = append(append(b, byte(len(pw))), pw...)
	if _, err := conn.Write(b); err != nil {
		return err
	}
	var answer [2]byte
	if _, err := io.ReadFull(conn, answer[:]); err != nil {
		return err
	}
	if answer[1] != 0 {
		return &refusal{transport.KindAuth, fmt.Sprintf("the proxy refuses the login of user %q: correct user and password in its URL", user)}
	}
	if answer[0] != socksLoginVers {
		return &refusal{transport.KindProtocol, fmt.Sprintf("the proxy answered the login with version %d in place of 1", answer[0])}
	}
	return nil
}

// socksRequest makes a CONNECT request. An address goes as one, a name as a
// name, which the proxy resolves.
func socksRequest(address string) ([]byte, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, err
	}
	b := []byte{socksVersion, socksConnect, 0}
	ip, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		b = append(append(b, socksName, byte(len(host))), host...)
	case ip.Zone() != "":
		return nil, fmt.Errorf("the address %q is of a zone of one machine, which SOCKS5 cannot carry: use another address", host)
	case ip.Is4():
		b = append(append(b, socksIPv4), ip.AsSlice()...)
	default:
		b = append(append(b, socksIPv6), ip.AsSlice()...)
	}
	return binary.BigEndian.AppendUint16(b, uint16(port)), nil
}

// socksReply reads the answer to a request, and not a byte more: what follows is
// the server's.
func socksReply(conn io.Reader) error {
	var head [4]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return err
	}
	if head[0] != socksVersion {
		return notSOCKS(head[0])
	}
	if head[1] != 0 {
		// Some proxies hang up without the rest.
		return socksRefusal(head[1])
	}
	size := 0
	switch head[3] {
	case socksIPv4:
		size = 4
	case socksIPv6:
		size = 16
	case socksName:
		var n [1]byte
		if _, err := io.ReadFull(conn, n[:]); err != nil {
			return err
		}
		size = int(n[0])
	default:
		return &refusal{transport.KindProtocol, fmt.Sprintf("the proxy answered with an address of the unknown type %d", head[3])}
	}
	// The proxy's own address and port are of no use to us.
	var bound [255 + 2]byte
	_, err := io.ReadFull(conn, bound[:size+2])
	return err
}

func notSOCKS(version byte) error {
	text := fmt.Sprintf("it answers with version %d: it is no SOCKS5 proxy; check scheme and port", version)
	if version == 'H' { // HTTP/1.1 400
		text = "it answers like an HTTP server: use http:// in place of socks5://, or another port"
	}
	return &refusal{transport.KindRefused, text}
}

// socksRefusal names the codes of RFC 1928 section 6.
func socksRefusal(code byte) error {
	switch code {
	case 1:
		return &refusal{transport.KindTemporary, "general failure of the proxy (1): see its log"}
	case 2:
		return &refusal{transport.KindRefused, "the proxy's rules forbid the connection (2): have its owner allow it"}
	case 3:
		return &refusal{transport.KindUnreachable, "network unreachable from the proxy (3)"}
	case 4:
		return &refusal{transport.KindUnreachable, "host unreachable from the proxy (4)"}
	case 5:
		return &refusal{transport.KindUnreachable, "connection refused (5)"}
	case 6:
		return &refusal{transport.KindUnreachable, "the connection timed out on its way from the proxy (6)"}
	case 7:
		return &refusal{transport.KindRefused, "the proxy does not know CONNECT (7): use another"}
	case 8:
		return &refusal{transport.KindRefused, "the proxy does not take this kind of address (8): give the server's name, or an IPv4 address"}
	}
	return &refusal{transport.KindProtocol, fmt.Sprintf("the proxy answered with the unknown code %d", code)}
}
