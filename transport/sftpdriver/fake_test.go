package sftpdriver

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testmain"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testmain.Parallel(testmain.InMemory(m), 8)) }

// fake is an SFTP server in memory that can be told to misbehave packet by
// packet, which neither sshd nor pkg/sftp's servers can.
type fake struct {
	t        testing.TB
	ln       net.Listener
	key      *pki.SSHKey
	config   *ssh.ServerConfig
	wg       sync.WaitGroup
	greeting string // sent in place of SSH, then the connection is closed

	// Extensions to announce.
	extensions map[string]string
	// ignoresExcl opens what exists where it should not.
	ignoresExcl bool
	// maxRead shortens the answers to reads.
	maxRead int
	// onPacket sees each packet; true says that it has been dealt with.
	onPacket func(s *fakeSession, typ byte, id uint32, body *reader) bool
	// onSession replaces the sftp subsystem.
	onSession func(ch ssh.Channel)
	// onChannel decides about a channel; true: dealt with.
	onChannel func(ssh.NewChannel) bool

	mu    sync.Mutex
	files map[string][]byte
	conns []net.Conn
	seen  []string // packets, for tests that count
}

func newFake(t testing.TB, change func(*fake)) *fake {
	t.Helper()
	key, err := pki.NewSSHKey()
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{t: t, key: key, files: map[string][]byte{}, extensions: map[string]string{"posix-rename@openssh.com": "1"}}
	f.config = &ssh.ServerConfig{PasswordCallback: func(c ssh.ConnMetadata, pw []byte) (*ssh.Permissions, error) {
		if c.User() == "user" && string(pw) == "password" {
			return nil, nil
		}
		return nil, io.ErrNoProgress
	}}
	f.config.AddHostKey(key.Signer)
	if change != nil {
		change(f)
	}
	if f.ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	f.wg.Add(1)
	go f.serve()
	t.Cleanup(f.close)
	return f
}

func (f *fake) close() {
	_ = f.ln.Close()
	f.cut()
	f.wg.Wait()
}

// cut ends every connection.
func (f *fake) cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.conns {
		_ = c.Close()
	}
}

func (f *fake) endpoint() *transport.Endpoint {
	addr := f.ln.Addr().(*net.TCPAddr)
	return &transport.Endpoint{
		Protocol: transport.SFTP, Host: "127.0.0.1", Port: addr.Port, User: "user", Password: "password",
		SSH: transport.SSH{HostKeyFingerprints: []string{f.key.Fingerprint()}},
	}
}

func (f *fake) dial(change func(*transport.Endpoint)) *client {
	f.t.Helper()
	ep := f.endpoint()
	if change != nil {
		change(ep)
	}
	c, err := dialClient(context.Background(), ep)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = c.Close() })
	return c
}

func (f *fake) put(name string, data []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.files[name] = data
}

func (f *fake) get(name string) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return bytes.Clone(f.files[name])
}

func (f *fake) packets(prefix string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.seen {
		if strings.HasPrefix(s, prefix) {
			n++
		}
	}
	return n
}

// await waits until so many packets of a kind have come, whose answers nobody waits for.
func (f *fake) await(name string, n int) {
	f.t.Helper()
	for end := time.Now().Add(10 * time.Second); f.packets(name) != n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			f.t.Fatalf("%d packets %s came, want %d", f.packets(name), name, n)
		}
	}
}

func (f *fake) serve() {
	defer f.wg.Done()
	for {
		conn, err := f.ln.Accept()
		if err != nil {
			return
		}
		f.mu.Lock()
		f.conns = append(f.conns, conn)
		f.mu.Unlock()
		f.wg.Add(1)
		go func() {
			defer f.wg.Done()
			defer conn.Close()
			if f.greeting != "" {
				_, _ = conn.Write([]byte(f.greeting))
				if !strings.HasSuffix(f.greeting, "\x00") {
					// Let the client speak, as real servers do.
					_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
					_, _ = io.Copy(io.Discard, conn)
				}
				return
			}
			f.serveConn(conn)
		}()
	}
}

func (f *fake) serveConn(conn net.Conn) {
	sc, channels, requests, err := ssh.NewServerConn(conn, f.config)
	if err != nil {
		return
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer sc.Close()
	wg.Add(1)
	go func() { defer wg.Done(); ssh.DiscardRequests(requests) }()
	for nc := range channels {
		if f.onChannel != nil && f.onChannel(nc) {
			continue
		}
		ch, reqs, err := nc.Accept()
		if err != nil {
			return
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			for r := range reqs {
				ok := r.Type == "subsystem" && string(r.Payload[4:]) == "sftp"
				_ = r.Reply(ok, nil)
				if !ok {
					continue
				}
				wg.Add(1)
				go func() {
					defer wg.Done()
					defer ch.Close()
					if f.onSession != nil {
						f.onSession(ch)
						return
					}
					(&fakeSession{f: f, ch: ch, conn: conn}).run()
				}()
			}
		}()
	}
}

type fakeSession struct {
	handles map[string]bool // that are open
	f       *fake
	ch      ssh.Channel
	conn    net.Conn
	in      *bufio.Reader // what is buffered has come in the same write as what was read last
	mu      sync.Mutex
	dirs    map[string]int
}

func (s *fakeSession) send(typ byte, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)+1))
	_, _ = s.ch.Write(append(append(b, typ), body...))
}

func (s *fakeSession) reply(typ byte, id uint32, body []byte) {
	s.send(typ, append(binary.BigEndian.AppendUint32(nil, id), body...))
}

func (s *fakeSession) status(id, code uint32, msg string) {
	s.reply(fxpStatus, id, putString(putString(binary.BigEndian.AppendUint32(nil, code), msg), ""))
}

func fileAttrs(size int) []byte {
	b := binary.BigEndian.AppendUint32(nil, 1|4|8)
	b = binary.BigEndian.AppendUint64(b, uint64(size))
	b = binary.BigEndian.AppendUint32(b, 0o100644)
	b = binary.BigEndian.AppendUint32(b, 1_500_000_000)
	return binary.BigEndian.AppendUint32(b, 1_500_000_000)
}

var packetNames = map[byte]string{1: "INIT", 3: "OPEN", 4: "CLOSE", 5: "READ", 6: "WRITE", 8: "FSTAT", 9: "SETSTAT", 10: "FSETSTAT",
	11: "OPENDIR", 12: "READDIR", 13: "REMOVE", 14: "MKDIR", 15: "RMDIR", 16: "REALPATH", 17: "STAT", 18: "RENAME", 19: "READLINK", 20: "SYMLINK", 200: "EXTENDED"}

func (s *fakeSession) run() {
	head := make([]byte, 4)
	s.in = bufio.NewReaderSize(s.ch, 1<<20)
	for {
		if _, err := io.ReadFull(s.in, head); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head))
		if _, err := io.ReadFull(s.in, body); err != nil {
			return
		}
		typ, r := body[0], &reader{b: body[1:]}
		id := r.uint32() // of INIT it is the version
		s.f.mu.Lock()
		s.f.seen = append(s.f.seen, packetNames[typ])
		s.f.mu.Unlock()
		if s.f.onPacket != nil && s.f.onPacket(s, typ, id, &reader{b: body[5:]}) {
			continue
		}
		s.handle(typ, id, r)
	}
}

// newHandle is the name of what is opened, with a number if that is open already.
func (s *fakeSession) newHandle(name string) string {
	if s.handles == nil {
		s.handles = map[string]bool{}
	}
	handle := name
	for i := 1; s.handles[handle]; i++ {
		handle = fmt.Sprint(name, "\x00", i)
	}
	s.handles[handle] = true
	return handle
}

// named is what a handle was made of.
func named(handle string) string {
	name, _, _ := strings.Cut(handle, "\x00")
	return name
}

func (s *fakeSession) handle(typ byte, id uint32, r *reader) {
	f := s.f
	f.mu.Lock()
	defer f.mu.Unlock()
	switch typ {
	case 1:
		b := binary.BigEndian.AppendUint32(nil, 3)
		for name, data := range f.extensions {
			b = putString(putString(b, name), data)
		}
		s.send(fxpVersion, b)
	case fxpOpen:
		name, flags := r.string(), r.uint32()
		_, there := f.files[name]
		if !there && flags&8 == 0 {
			s.status(id, fxNoSuchFile, "no such file")
			return
		}
		if there && flags&fxfExcl != 0 && !f.ignoresExcl {
			s.status(id, fxFailure, "")
			return
		}
		if !there || flags&0x10 != 0 {
			f.files[name] = nil
		}
		s.reply(fxpHandle, id, putString(nil, s.newHandle(name)))
	case fxpClose:
		delete(s.handles, r.string())
		s.status(id, fxOK, "")
	case fxpFstat, fxpStat:
		name := named(r.string())
		if data, ok := f.files[name]; ok {
			s.reply(fxpAttrs, id, fileAttrs(len(data)))
		} else {
			s.status(id, fxNoSuchFile, "no such file")
		}
	case fxpRead:
		data, off, n := f.files[named(r.string())], r.uint64(), int(r.uint32())
		if off >= uint64(len(data)) {
			s.status(id, fxEOF, "end")
			return
		}
		data = data[off:]
		if f.maxRead > 0 {
			n = min(n, f.maxRead)
		}
		s.reply(fxpData, id, putString(nil, string(data[:min(n, len(data))])))
	case 6: // WRITE
		name, off, data := named(r.string()), int(r.uint64()), r.bytes()
		file := f.files[name]
		if len(file) < off+len(data) {
			file = append(file, make([]byte, off+len(data)-len(file))...)
		}
		copy(file[off:], data)
		f.files[name] = file
		s.status(id, fxOK, "")
	case 9, 10: // SETSTAT, FSETSTAT
		name := named(r.string())
		a := r.attrs()
		if a.hasSize {
			file := f.files[name]
			file = append(file, make([]byte, max(0, int(a.size)-len(file)))...)
			f.files[name] = file[:a.size]
		}
		s.status(id, fxOK, "")
	case fxpOpendir:
		if s.dirs == nil {
			s.dirs = map[string]int{}
		}
		name := r.string()
		s.dirs[name] = 0
		s.reply(fxpHandle, id, putString(nil, name))
	case fxpReaddir:
		name := r.string()
		if s.dirs[name]++; s.dirs[name] > 1 {
			s.status(id, fxEOF, "")
			return
		}
		names := []string{".", ".."}
		for n := range f.files {
			names = append(names, n)
		}
		sort.Strings(names)
		b := binary.BigEndian.AppendUint32(nil, uint32(len(names)))
		for _, n := range names {
			b = append(putString(putString(b, n), "-rw-r--r-- "+n), fileAttrs(len(f.files[n]))...)
		}
		s.reply(fxpName, id, b)
	case fxpRemove:
		name := r.string()
		if _, ok := f.files[name]; !ok {
			s.status(id, fxNoSuchFile, "")
			return
		}
		delete(f.files, name)
		s.status(id, fxOK, "")
	case 16: // REALPATH
		s.reply(fxpName, id, append(putString(putString(binary.BigEndian.AppendUint32(nil, 1), "/home"), ""), 0, 0, 0, 0))
	case 14, 15, 18:
		s.status(id, fxOK, "")
	case fxpExtended:
		switch r.string() {
		case "limits@openssh.com":
			b := binary.BigEndian.AppendUint64(nil, 256<<10)
			b = binary.BigEndian.AppendUint64(b, 255<<10)
			b = binary.BigEndian.AppendUint64(b, 255<<10)
			s.reply(fxpExtendedReply, id, binary.BigEndian.AppendUint64(b, 100))
		case "posix-rename@openssh.com":
			s.status(id, fxOK, "")
		default:
			s.status(id, fxOpUnsupported, "what?")
		}
	default:
		s.status(id, fxOpUnsupported, "what?")
	}
}

// stallable is a socket that can be told to swallow what is written and to
// deliver nothing: a line on which packets no longer pass.
type stallable struct {
	net.Conn
	stalled chan struct{}
	closed  chan struct{}
	once    sync.Once
	at      atomic.Pointer[time.Time]
}

func newStallable(c net.Conn) *stallable {
	return &stallable{Conn: c, stalled: make(chan struct{}), closed: make(chan struct{})}
}

func (s *stallable) stall() {
	now := time.Now()
	s.at.Store(&now)
	close(s.stalled)
}

func (s *stallable) isStalled() bool {
	select {
	case <-s.stalled:
		return true
	default:
		return false
	}
}

func (s *stallable) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	if s.isStalled() {
		<-s.closed
		return 0, net.ErrClosed
	}
	return n, err
}

// Write blocks when stalled, as it does when the kernel's buffer is full.
func (s *stallable) Write(p []byte) (int, error) {
	if s.isStalled() {
		<-s.closed
		return 0, net.ErrClosed
	}
	return s.Conn.Write(p)
}

func (s *stallable) Close() error {
	s.once.Do(func() { close(s.closed) })
	return s.Conn.Close()
}

func wantKind(t testing.TB, err error, want transport.Kind) *transport.Error {
	t.Helper()
	te, ok := err.(*transport.Error)
	if !ok {
		t.Fatalf("got %T %v, want a *transport.Error of kind %q", err, err, want)
	}
	if te.Kind != want {
		t.Fatalf("kind %q, want %q: %v", te.Kind, want, err)
	}
	return te
}
