package testserver

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// acceptRetry is the wait after a failed accept, as in net/http.
const acceptRetry = 5 * time.Millisecond

// serve accepts until the listener is closed.
func (s *SFTPServer) serve() {
	defer close(s.served)
	for {
		raw, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// No descriptors left, for now; closing the server ends this soon.
			time.Sleep(acceptRetry)
			continue
		}
		s.counts.accepted.Add(1)
		if !s.penalties.allowed(sourceOf(raw)) {
			s.counts.refused.Add(1)
			turnAway(raw)
			continue
		}
		if limit := s.opts.MaxStartups; limit > 0 && s.startups.Load() >= int64(limit) {
			s.counts.refused.Add(1)
			// A few bytes into an empty socket buffer: this cannot block.
			_, _ = io.WriteString(raw, s.opts.StartupsMessage)
			_ = raw.Close()
			continue
		}
		conn := &countedConn{Conn: raw, counts: &s.counts}
		if !s.tracker.add(conn, func() { _ = raw.Close() }) {
			_ = raw.Close()
			return
		}
		s.startups.Add(1)
		go func() {
			defer s.tracker.remove(conn)
			s.serveConn(conn)
		}()
	}
}

// serveConn runs one SSH connection to its end.
func (s *SFTPServer) serveConn(raw net.Conn) {
	defer raw.Close()
	_ = raw.SetDeadline(time.Now().Add(s.opts.LoginGrace))
	started := sync.OnceFunc(func() { s.startups.Add(-1) })
	config, tried := s.configFor(started), &attempts{}
	tried.watch(config)
	conn, channels, requests, err := ssh.NewServerConn(raw, config)
	started()
	if err != nil {
		s.punish(raw, tried, err)
		return
	}
	_ = raw.SetDeadline(time.Time{})

	var work sync.WaitGroup
	defer work.Wait()
	defer conn.Close()
	// keepalive@openssh.com gets the refusal that keeps it going.
	work.Go(func() { ssh.DiscardRequests(requests) })

	var sessions atomic.Int64
	for newChannel := range channels {
		if newChannel.ChannelType() != "session" {
			_ = newChannel.Reject(ssh.UnknownChannelType, "unsupported channel type")
			continue
		}
		if limit := s.opts.MaxSessions; limit > 0 && sessions.Load() >= int64(limit) {
			// What sshd says past MaxSessions.
			_ = newChannel.Reject(ssh.ConnectionFailed, "open failed")
			continue
		}
		channel, requests, err := newChannel.Accept()
		if err != nil {
			continue
		}
		sessions.Add(1)
		work.Go(func() {
			defer sessions.Add(-1)
			s.serveSession(channel, requests)
		})
	}
}

// serveSession waits for the request for the sftp subsystem, refuses all others,
// and serves it.
func (s *SFTPServer) serveSession(channel ssh.Channel, requests <-chan *ssh.Request) {
	var work sync.WaitGroup
	defer work.Wait()
	defer channel.Close()
	for request := range requests {
		var subsystem struct{ Name string }
		wanted := request.Type == "subsystem" &&
			ssh.Unmarshal(request.Payload, &subsystem) == nil && subsystem.Name == "sftp"
		if request.WantReply {
			_ = request.Reply(wanted, nil)
		}
		if !wanted {
			continue
		}
		// Requests go on arriving during the session (window changes, signals)
		// and have to be answered.
		work.Go(func() { ssh.DiscardRequests(requests) })
		s.serveSFTP(channel)
		_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{0}))
		return
	}
}

func (s *SFTPServer) serveSFTP(channel ssh.Channel) {
	fs := &sftpFs{tree: s.tree, hidden: s.hidden, objects: s.objects}
	handlers := sftp.Handlers{FileGet: fs, FilePut: fs, FileCmd: fs, FileList: fs}
	stream := io.ReadWriteCloser(channel)
	if s.opts.ReuseHandles || s.opts.Habits != nil {
		near, far := net.Pipe()
		defer near.Close()
		stream = far
		go func() {
			if s.opts.ReuseHandles {
				_ = (&reusing{client: channel, server: near, reused: &s.counts.reused}).run()
			} else {
				_ = (&habitual{SFTPHabits: *s.opts.Habits, client: channel, server: near}).run()
			}
			_ = near.Close()
		}()
	}
	server := sftp.NewRequestServer(&extensionFilter{ReadWriteCloser: stream, hidden: s.hidden},
		handlers, sftp.WithRSMaxTxPacket(s.opts.MaxReadLength))
	// It ends when the client goes; the reason is the client's business.
	_ = server.Serve()
	_ = server.Close()
}
