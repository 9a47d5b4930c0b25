package turns

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
)

// A fuse resets an SSH connection when so much payload has passed.
type fuse struct{ up, down atomic.Int64 } // bytes left; 0 for never

// burn takes n bytes off and reports whether that was the end.
func burn(left *atomic.Int64, n int) bool {
	for {
		v := left.Load()
		if v <= 0 {
			return false
		}
		if left.CompareAndSwap(v, max(0, v-int64(n))) {
			return v <= int64(n)
		}
	}
}

// sshRelay is an SSH server for the client and a client of the server, and counts
// the packets of SFTP between them. It shows the server's own version, by which a
// client may know it, and a key of its own.
func sshRelay(t testing.TB, m *meter, f *fuse, s *server) (*relay, ssh.PublicKey) {
	t.Helper()
	key, err := pki.NewSSHKey()
	if err != nil {
		t.Fatal(err)
	}
	r := startRelay(t, "127.0.0.1", func(r *relay, client *net.TCPConn) {
		up, err := ssh.Dial("tcp", s.addr, s.sshConfig())
		if err != nil {
			t.Errorf("the relay cannot log in: %v", err)
			return
		}
		if !r.hold(up) {
			return
		}
		defer r.drop(up)
		cfg := &ssh.ServerConfig{ServerVersion: string(up.ServerVersion()), PasswordCallback: s.checkPassword}
		cfg.AddHostKey(key.Signer)
		down, channels, requests, err := ssh.NewServerConn(client, cfg)
		if err != nil {
			return
		}
		defer down.Close()
		line := &sshLine{clock: m.open(), fuse: f, client: client, server: up}
		var wg sync.WaitGroup
		wg.Go(func() {
			for q := range requests {
				if q.WantReply {
					_ = q.Reply(false, nil) // a keepalive takes that for an answer, too
				}
			}
		})
		for n := uint32(0); ; n++ {
			wanted, ok := <-channels
			if !ok {
				break
			}
			wg.Go(func() { line.carry(n, wanted) })
		}
		up.Close()
		wg.Wait()
	})
	return r, key.Public()
}

// An sshLine is one connection of a relay.
type sshLine struct {
	clock  *clock
	fuse   *fuse
	client *net.TCPConn
	server *ssh.Client

	mu       sync.Mutex
	burnt    bool // nothing is passed on to the server any more
	unstored int  // WRITE requests that the server has not answered
}

// reset ends the connection as a bad line does.
func (l *sshLine) reset() {
	_ = l.client.SetLinger(0)
	l.client.Close()
	l.server.Close()
}

// carry carries one channel.
func (l *sshLine) carry(n uint32, wanted ssh.NewChannel) {
	server, serverRequests, err := l.server.OpenChannel(wanted.ChannelType(), wanted.ExtraData())
	if err != nil {
		_ = wanted.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	defer server.Close()
	client, clientRequests, err := wanted.Accept()
	if err != nil {
		return
	}
	defer client.Close()
	var wg sync.WaitGroup
	wg.Go(func() { forward(server, clientRequests, 2*delay) })
	wg.Go(func() { forward(client, serverRequests, 0) })
	wg.Go(func() { l.requests(n, server, client) })
	l.replies(n, client, server)
	client.Close()
	server.Close()
	wg.Wait()
}

// forward passes on requests about a channel. The client measures its round trip by
// the one that starts SFTP, so that takes one.
func forward(dst ssh.Channel, requests <-chan *ssh.Request, trip time.Duration) {
	for q := range requests {
		if q.Type == "subsystem" {
			time.Sleep(trip)
		}
		ok, err := dst.SendRequest(q.Type, q.WantReply, q.Payload)
		if q.WantReply {
			_ = q.Reply(ok && err == nil, nil)
		}
	}
}

// requests carries what the client asks.
func (l *sshLine) requests(n uint32, dst io.Writer, src io.Reader) {
	later := newLag()
	defer later.close()
	for {
		p, err := readPacket(src, true)
		if err != nil {
			return
		}
		l.clock.asks(n, p)
		later.put(func() {
			l.mu.Lock()
			burnt := l.burnt
			if !burnt && p.kind == fxpWrite {
				l.unstored++
				l.burnt = burn(&l.fuse.up, p.length)
			}
			l.mu.Unlock()
			if !burnt {
				_, _ = dst.Write(p.raw)
			}
		})
	}
}

// replies carries what the server answers. A line that is to be reset in an upload
// is so when the server has stored what had reached it, so that it has the same
// each time.
func (l *sshLine) replies(n uint32, dst io.Writer, src io.Reader) {
	later := newLag()
	defer later.close()
	for {
		p, err := readPacket(src, false)
		if err != nil {
			return
		}
		if l.stored(n, p) {
			l.reset()
			return
		}
		later.put(func() {
			l.clock.told(n, p.id)
			_, _ = dst.Write(p.raw)
			if p.kind == fxpData && burn(&l.fuse.down, len(p.raw)) {
				l.reset()
			}
		})
	}
}

// stored takes note of an answer to WRITE and reports whether the line is to be reset.
func (l *sshLine) stored(n uint32, p packet) bool {
	if !l.clock.isWrite(n, p.id) {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unstored--
	return l.burnt && l.unstored == 0
}
