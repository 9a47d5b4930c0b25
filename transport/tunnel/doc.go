// Package tunnel reaches a server that cannot be dialled directly: through a
// SOCKS5 proxy (RFC 1928, with user name and password of RFC 1929), through an
// HTTP proxy by the method CONNECT (RFC 9110 section 9.3.6, with Basic
// authentication of RFC 7617, over TLS for https://), or through SSH jump hosts
// (direct-tcpip channels, RFC 4254 section 7.2), several in a row in any
// mixture.
//
//	t, err := tunnel.Parse("ssh://jump@gate.example.com", "socks5://10.0.0.5")
//	if err != nil {
//		return err
//	}
//	defer t.Close()
//	c, err := ftpx.Open(ctx, "sftp://user@files.internal/", &ftpx.Options{Dial: t.Dial})
//
// [Tunnel.Dial] is a [transport.DialFunc]: it carries SFTP, and both control
// and passive data connections of FTP and FTPS. Active mode does not work
// through a tunnel: Options.ActiveAddr and Options.Dial exclude each other.
//
// Names are resolved at the far end of the tunnel: nothing is looked up on this
// machine but the first hop. A data connection of FTP goes to the same name as
// its control connection, so that a name with several addresses has to lead to
// one machine; if it does not, give the address.
//
// # Errors
//
// A failure is a [*transport.Error] that names the hop. What the last hop says
// of the server keeps its kind: [transport.KindUnreachable] where it cannot
// connect. What is wrong with a hop itself never is of a kind that lets package
// ftpx choose a weaker protocol: a hop that is down is
// [transport.KindTemporary], one that speaks another protocol or forbids the
// connection [transport.KindRefused], and a refused login, host key or
// certificate keeps its own kind. No error holds a password.
//
// # What becomes of TCP
//
// Through a SOCKS5 or http:// proxy that is the first hop the connection is the
// bare *net.TCPConn to it, so that sendfile and the kernel's counters still
// work; they then tell of the way to the proxy. Elsewhere the library counts
// bytes as they are written. A reset does not travel through a tunnel: the
// server sees the end of the connection.
package tunnel
