package tunnel

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// connectHop dials through an HTTP proxy by CONNECT.
type connectHop struct {
	hop    Hop
	way    transport.DialFunc
	tunnel *Tunnel
}

// maxHeader bounds all that a proxy may say before the connection is made.
const maxHeader = 32 << 10

func (c *connectHop) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if strings.Contains(address, "%") {
		return nil, c.hop.serverFailure(ctx, transport.KindInvalid, address,
			errors.New("an address of a zone of one machine cannot go through an HTTP proxy: use another address"))
	}
	conn, err := c.way(ctx, "tcp", c.hop.addr())
	if err != nil {
		return nil, c.hop.hopFailure(ctx, err)
	}
	if c.hop.Scheme == HTTPS {
		if conn, err = c.encrypt(ctx, conn); err != nil {
			return nil, c.hop.hopFailure(ctx, err)
		}
	}
	err = handshake(ctx, conn, func() error {
		if _, err := io.WriteString(conn, c.request(address)); err != nil {
			return err
		}
		return asking(c.answer(conn))
	})
	if err != nil {
		return nil, c.hop.talkFailure(ctx, address, err)
	}
	return settle(conn, address), nil
}

func asking(err error) error {
	if err == nil {
		return nil
	}
	return asked{err}
}

// request: RFC 9110 section 9.3.6. It is HTTP/1.1 for proxies that refuse
// anything older; the address has been checked for line ends.
func (c *connectHop) request(address string) string {
	text := "CONNECT " + address + " HTTP/1.1\r\nHost: " + address + "\r\n"
	if c.hop.User != "" {
		login := c.hop.User + ":" + c.hop.Password.Reveal()
		text += "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(login)) + "\r\n"
	}
	return text + "\r\n"
}

// answer reads the reply, and interim ones (1xx) before it.
func (c *connectHop) answer(conn io.Reader) error {
	left := maxHeader
	for {
		head, err := readHead(conn, &left)
		if err != nil {
			return err
		}
		code, reason, ok := statusLine(head)
		switch {
		case !ok:
			return notHTTP(head)
		case code < 200:
			if code == 101 {
				return &refusal{transport.KindProtocol, "the proxy switches protocols (101), which nobody asked for"}
			}
		case code < 300:
			return nil
		default:
			return c.refusal(code, reason)
		}
	}
}

// readHead reads up to the empty line, a byte at a time: what lies behind it is
// the server's, which mostly greets at once, and a buffer in between would cost
// the *net.TCPConn. It is a few hundred bytes once a connection.
func readHead(r io.Reader, left *int) ([]byte, error) {
	var head []byte
	var b [1]byte
	for {
		if *left == 0 {
			return nil, &refusal{transport.KindProtocol, fmt.Sprintf("the header of the proxy's answer is longer than %d bytes", maxHeader)}
		}
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return nil, err
		}
		*left--
		head = append(head, b[0])
		if len(head) == len("HTTP/") && !bytes.HasPrefix(head, []byte("HTTP/")) {
			return nil, notHTTP(head) // a server that waits for us would say no more
		}
		if b[0] == '\n' && (bytes.HasSuffix(head, []byte("\r\n\r\n")) || bytes.HasSuffix(head, []byte("\n\n"))) {
			return head, nil
		}
	}
}

// statusLine reads "HTTP/1.1 200 Connection established".
func statusLine(head []byte) (code int, reason string, ok bool) {
	line, _, _ := strings.Cut(string(head), "\n")
	version, rest, _ := strings.Cut(strings.TrimRight(line, "\r"), " ")
	digits, reason, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	if version != "HTTP/1.0" && version != "HTTP/1.1" || len(digits) != 3 {
		return 0, "", false
	}
	for _, d := range digits {
		if d < '0' || d > '9' {
			return 0, "", false
		}
		code = code*10 + int(d-'0')
	}
	return code, transport.Printable(reason), code >= 100
}

func notHTTP(head []byte) error {
	line, _, _ := strings.Cut(string(head[:min(len(head), 64)]), "\n")
	return &refusal{transport.KindRefused, fmt.Sprintf("it is no HTTP/1.1 proxy: it answers %q; check scheme and port", transport.Printable(line))}
}

func (c *connectHop) refusal(code int, reason string) error {
	said := fmt.Sprintf("(%d %.100s)", code, reason)
	switch code {
	case 407, 401:
		if c.hop.User == "" {
			return &refusal{transport.KindAuth, "the proxy wants a login: put user:password@ into its URL " + said}
		}
		return &refusal{transport.KindAuth, fmt.Sprintf("the proxy refuses the login of user %q: correct user and password in its URL; it must take Basic authentication %s", c.hop.User, said)}
	case 502, 503, 504:
		// There is no code for a refused connection; Squid says 503, others 502.
		return &refusal{transport.KindUnreachable, "the proxy cannot reach the server " + said}
	case 429:
		return &refusal{transport.KindBusy, "the proxy takes no more connections now " + said}
	case 408, 500:
		return &refusal{transport.KindTemporary, "the proxy failed: see its log " + said}
	}
	if code < 400 || code >= 600 {
		return &refusal{transport.KindRefused, "the proxy sends elsewhere, which CONNECT cannot follow " + said}
	}
	return &refusal{transport.KindRefused, "the proxy does not allow the connection: have its owner allow CONNECT to this host and port " + said}
}
