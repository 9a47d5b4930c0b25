package ftpdriver

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// halfway is a source that ends its program after its first half, as far as the
// socket can tell.
type halfway struct {
	half []byte
	kill func()
}

func (h *halfway) Read(p []byte) (int, error) {
	if len(h.half) == 0 {
		h.kill()
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(p, h.half)
	h.half = h.half[n:]
	return n, nil
}

// Trap 5 again: the kernel closes the sockets of a program that is killed. If TLS
// 1.3 session tickets lie unread in one, that is a reset, and what was on its way
// is sent for nothing.
func TestTicketsAreReadDuringAnUpload(t *testing.T) {
	ca, err := pki.NewCA("test")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.ServerFor("h")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const size = 256 << 10
	type end struct {
		n   int64
		err error
	}
	ended, began, killed := make(chan end, 1), make(chan struct{}), make(chan struct{})
	go func() {
		conn, err := l.Accept()
		if err != nil {
			ended <- end{0, err}
			return
		}
		defer conn.Close()
		// Asked for a certificate, crypto/tls sends its tickets after the
		// handshake, as OpenSSL always does.
		server := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13, ClientAuth: tls.RequestClientCert})
		_, err = io.ReadFull(server, make([]byte, 1)) // the tickets have been sent
		close(began)
		<-killed
		n, cerr := io.Copy(io.Discard, server)
		ended <- end{n + 1, errors.Join(err, cerr)}
	}()

	raw, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	sock := wire.New(raw, time.Minute)
	op := wire.StartOp(t.Context(), wire.Watch{}, sock)
	d := &dataConn{ctl: &control{wire: sock}, op: op, wire: sock, upload: true,
		tls: tls.Client(sock, &tls.Config{RootCAs: ca.Pool(), ServerName: "h", ClientSessionCache: tls.NewLRUClientSessionCache(1)})}
	if err := d.Handshake(); err != nil {
		t.Fatal(err)
	}
	read := sock.BytesRead()
	_, _ = d.ReadFrom(&halfway{make([]byte, size), func() {
		<-began
		for begin := time.Now(); sock.BytesRead() == read && time.Since(begin) < 5*time.Second; {
			time.Sleep(time.Millisecond) // nothing else tells that the tickets have been read
		}
		raw.Close()
		close(killed)
	}})
	d.release()
	_ = op.End(nil)
	if e := <-ended; e.n != size || errors.Is(e.err, syscall.ECONNRESET) {
		t.Errorf("the server got %d of %d bytes, then %v", e.n, size, e.err)
	}
}
