package tunnel

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// jumpServer is an SSH server that forwards and nothing else.
type jumpServer struct {
	*serving
	life context.Context // ends with the test
	t    *testing.T
	key  ssh.PublicKey
	mu   sync.Mutex
	seen []string // what was asked for

	handshakes atomic.Int32
	deaf       atomic.Bool // keepalives get no answer
	reject     atomic.Pointer[ssh.OpenChannelError]
	hang       atomic.Bool // a request for a channel gets no answer
	hung       chan struct{}
	pause      chan struct{} // if not nil, the handshake waits for it
	greeted    chan struct{} // told when it begins to wait
}

func startJump(t *testing.T, user, password string, change ...func(*jumpServer)) *jumpServer {
	t.Helper()
	key, err := pki.NewSSHKey()
	if err != nil {
		t.Fatal(err)
	}
	config := &ssh.ServerConfig{PasswordCallback: func(c ssh.ConnMetadata, pw []byte) (*ssh.Permissions, error) {
		if c.User() == user && string(pw) == password {
			return nil, nil
		}
		return nil, errors.New("no")
	}}
	config.AddHostKey(key.Signer)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	j := &jumpServer{t: t, key: key.Public(), hung: make(chan struct{}, 1), greeted: make(chan struct{}, 1)}
	var end context.CancelFunc
	j.life, end = context.WithCancel(context.Background())
	for _, f := range change {
		f(j)
	}
	j.serving = newServing(l, func(c net.Conn) { j.serve(c, config) })
	t.Cleanup(j.close)
	t.Cleanup(end)
	return j
}

func (j *jumpServer) url() string { return "ssh://jumper:" + secret + "@" + j.l.Addr().String() }

// hop verifies the host key by its fingerprint.
func (j *jumpServer) hop() Hop {
	h, err := ParseHop(j.url())
	if err != nil {
		j.t.Fatal(err)
	}
	h.SSH = transport.SSH{HostKeyFingerprints: []string{ssh.FingerprintSHA256(j.key)}}
	return h
}

func (j *jumpServer) asked() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]string(nil), j.seen...)
}

func (j *jumpServer) serve(raw net.Conn, config *ssh.ServerConfig) {
	if j.pause != nil {
		select {
		case j.greeted <- struct{}{}:
		case <-j.life.Done():
			return
		}
		select {
		case <-j.pause:
		case <-j.life.Done():
			return
		}
	}
	conn, channels, requests, err := ssh.NewServerConn(raw, config)
	if err != nil {
		return
	}
	j.handshakes.Add(1)
	var work sync.WaitGroup
	defer work.Wait()
	defer conn.Close()
	work.Go(func() {
		for r := range requests {
			if r.WantReply && !j.deaf.Load() {
				_ = r.Reply(false, nil)
			}
		}
	})
	for ch := range channels {
		var to struct {
			Host       string
			Port       uint32
			Originator string
			OrigPort   uint32
		}
		if ch.ChannelType() != "direct-tcpip" || ssh.Unmarshal(ch.ExtraData(), &to) != nil {
			_ = ch.Reject(ssh.UnknownChannelType, "forwarding only")
			continue
		}
		address := net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port)))
		j.mu.Lock()
		j.seen = append(j.seen, address)
		j.mu.Unlock()
		if no := j.reject.Load(); no != nil {
			_ = ch.Reject(no.Reason, no.Message)
			continue
		}
		if j.hang.Load() {
			j.hung <- struct{}{}
			continue
		}
		work.Go(func() { j.forward(ch, address) })
	}
}

func (j *jumpServer) forward(open ssh.NewChannel, address string) {
	up, err := (&net.Dialer{}).DialContext(j.life, "tcp", address)
	if err != nil {
		_ = open.Reject(ssh.ConnectionFailed, "Connection refused")
		return
	}
	ch, requests, err := open.Accept()
	if err != nil {
		up.Close()
		return
	}
	go ssh.DiscardRequests(requests)
	defer context.AfterFunc(j.life, func() { up.Close() })()
	testserver.Splice(ch, up, ch)
}
