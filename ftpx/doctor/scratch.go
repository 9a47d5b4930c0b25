package doctor

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"path"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/ftpdriver"
	"github.com/seed01fc2e40/go-ftpx/transport/sftpdriver"
)

const (
	// scratchBytes is the size of the file that is written, a few packets.
	scratchBytes = 24 << 10
	// cleanUp bounds the removal at the end, which also follows an interruption.
	cleanUp = 10 * time.Second
	// A slow upload goes in so many pieces of so many bytes: the driver takes in a small file
	// whole before it asks for it to be stored.
	slowChunks = 20
	slowChunk  = 64 << 10
)

// open logs in with the driver, as a client would.
func (s *seen) open(ctx context.Context) (transport.Conn, error) {
	ep := *s.ep
	ep.ConnectTimeout = loginFactor * s.opt.StepTimeout
	if s.dns.asked && ep.ActiveAddr == "" {
		ep.Dial = s.dialAsSeen
	}
	if ep.Protocol == transport.SFTP {
		return typed(sftpdriver.Dial(ctx, &ep))
	}
	return typed(ftpdriver.Dial(ctx, &ep))
}

// dialAsSeen dials the host where it has answered: the name was looked up by the run's own
// resolver, and a family that is dead need not be waited for again.
func (s *seen) dialAsSeen(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if t := s.tcp.last(); host == s.ep.Host && t != nil {
		address = net.JoinHostPort(hostOf(t.RemoteAddr()), port)
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// typed keeps a nil connection from becoming a value of an interface.
func typed[C transport.Conn](c C, err error) (transport.Conn, error) {
	if err != nil {
		return nil, err
	}
	return c, nil
}

// writeScratch tries what a transfer relies on in a folder of its own.
func (s *seen) writeScratch(ctx context.Context) {
	t := &s.scratch
	t.tried = true
	conn, err := s.open(ctx)
	if err != nil {
		t.err = err
		return
	}
	defer func() { _ = conn.Close() }()
	dir := path.Join(s.opt.Scratch, "ftpx-doctor-"+rand.Text())
	if t.err = s.one(ctx, conn, &transport.Mkdir{Path: dir}); t.err != nil {
		return
	}
	names := []string{path.Join(dir, "a"), path.Join(dir, "b"), path.Join(dir, "slow"), path.Join(dir, "c")}
	defer func() { t.lost = s.remove(context.WithoutCancel(ctx), conn, dir, names) }()
	data := make([]byte, scratchBytes)
	_, _ = rand.Read(data)
	begin := time.Now()
	for _, name := range names[:2] {
		if t.storeErr = s.store(ctx, conn, name, data, 0); t.storeErr != nil {
			return
		}
	}
	s.times(ctx, conn, names[0], begin)
	t.resumeGet = s.resumeGet(ctx, conn, names[0], data)
	t.resumePut = s.resumePut(ctx, conn, names[0], data)
	t.hash, t.hashErr = s.digest(ctx, conn, names[1], data)
	if t.replace = s.one(ctx, conn, &transport.Rename{From: names[1], To: names[0], Replace: true}); t.replace != nil && conn.Usable() {
		t.rename = s.one(ctx, conn, &transport.Rename{From: names[1], To: names[3]})
	}
	if s.opt.Idle > 0 && s.ep.Protocol.IsFTP() && conn.Usable() {
		s.slowUpload(ctx, conn, names[2])
	}
}

// one carries out one request.
func (s *seen) one(ctx context.Context, conn transport.Conn, r transport.Request) error {
	if err := s.do(ctx, conn, transport.NewBatch(r)); err != nil {
		return err
	}
	return r.Common().Err
}

func (s *seen) store(ctx context.Context, conn transport.Conn, name string, data []byte, offset int64) error {
	put := &transport.Store{Path: name, Offset: offset, Size: int64(len(data)), Src: bytes.NewReader(data)}
	if err := s.one(ctx, conn, put); err != nil {
		return err
	}
	stat := &transport.Stat{Path: name}
	if err := s.one(ctx, conn, stat); err != nil {
		return fmt.Errorf("what was stored cannot be seen: %w", err)
	}
	if want := offset + int64(len(data)); stat.Entry.Size != want {
		return fmt.Errorf("%d bytes were stored, and the server says that there are %d", want, stat.Entry.Size)
	}
	return nil
}

// times compares the time of a file that was just written with this machine's clock.
func (s *seen) times(ctx context.Context, conn transport.Conn, name string, begin time.Time) {
	stat := &transport.Stat{Path: name}
	if s.one(ctx, conn, stat) != nil || stat.Entry.ModTime.IsZero() {
		return
	}
	middle := begin.Add(time.Since(begin) / 2)
	s.scratch.offset, s.scratch.offsetSet = stat.Entry.ModTime.Sub(middle).Round(time.Second), true
}

// resumeGet downloads from the middle and compares.
func (s *seen) resumeGet(ctx context.Context, conn transport.Conn, name string, data []byte) error {
	const from = 10000
	var got bytes.Buffer
	if err := s.one(ctx, conn, &transport.Retrieve{Path: name, Offset: from, Size: int64(len(data)) - from, Dst: &got}); err != nil {
		return err
	}
	if !bytes.Equal(got.Bytes(), data[from:]) {
		return fmt.Errorf("a download from byte %d on brought %d other bytes than those that were stored", from, got.Len())
	}
	return nil
}

// resumePut cuts an upload in two and reads the whole back.
func (s *seen) resumePut(ctx context.Context, conn transport.Conn, name string, data []byte) error {
	const at = 14000
	if err := s.store(ctx, conn, name, data[:at], 0); err != nil {
		return err
	}
	if err := s.store(ctx, conn, name, data[at:], at); err != nil {
		return err
	}
	var got bytes.Buffer
	if err := s.one(ctx, conn, &transport.Retrieve{Path: name, Size: int64(len(data)), Dst: &got}); err != nil {
		return err
	}
	if !bytes.Equal(got.Bytes(), data) {
		return fmt.Errorf("an upload that was continued at byte %d left another file than what was sent", at)
	}
	return nil
}

// digest compares the server's with ours, where it offers one that is known here.
func (s *seen) digest(ctx context.Context, conn transport.Conn, name string, data []byte) (string, error) {
	for algo, sum := range map[string]func([]byte) []byte{
		"sha256": func(b []byte) []byte { h := sha256.Sum256(b); return h[:] },
		"sha1":   func(b []byte) []byte { h := sha1.Sum(b); return h[:] },
	} {
		if !conn.Info().Caps.HasHash(algo) {
			continue
		}
		h := &transport.Hash{Path: name, Algo: algo, Size: -1}
		if err := s.one(ctx, conn, h); err != nil {
			return algo, err
		}
		if !bytes.Equal(h.Sum, sum(data)) {
			return algo, fmt.Errorf("the server's %s of a file is not that of what was stored", algo)
		}
		return algo, nil
	}
	return "", nil
}

// slowUpload spreads an upload over Options.Idle: the control connection has nothing to say
// meanwhile, and firewalls forget it.
func (s *seen) slowUpload(ctx context.Context, conn transport.Conn, name string) {
	t := &s.scratch
	t.slowTried = true
	limit, cancel := context.WithTimeout(ctx, s.opt.Idle+2*s.opt.StepTimeout)
	defer cancel()
	put := &transport.Store{Path: name, Size: slowChunks * slowChunk, Src: &trickle{ctx: limit, every: s.opt.Idle / slowChunks, left: slowChunks}}
	err := conn.Do(limit, transport.NewBatch(put))
	if err == nil {
		err = put.Err
	}
	if t.slowErr = err; err == nil {
		return
	}
	fresh, ferr := s.open(context.WithoutCancel(ctx))
	if ferr != nil {
		return
	}
	defer fresh.Close()
	stat := &transport.Stat{Path: name}
	if s.one(ctx, fresh, stat) == nil {
		t.cutWhole = stat.Entry.Size == slowChunks*slowChunk
	}
}

// trickle is a source that pauses before each chunk.
type trickle struct {
	ctx   context.Context
	every time.Duration
	left  int // chunks
	now   int // bytes of the chunk that is being read
}

func (t *trickle) Read(p []byte) (int, error) {
	if t.now == 0 {
		if t.left == 0 {
			return 0, io.EOF
		}
		if !pause(t.ctx, t.every) {
			return 0, context.Cause(t.ctx)
		}
		t.left--
		t.now = slowChunk
	}
	n := min(t.now, len(p))
	clear(p[:n])
	t.now -= n
	return n, nil
}

// remove takes the scratch folder away, over a new connection where the old one is lost, and
// returns what is still there.
func (s *seen) remove(ctx context.Context, conn transport.Conn, dir string, names []string) []string {
	ctx, cancel := context.WithTimeout(ctx, cleanUp)
	defer cancel()
	if !conn.Usable() {
		fresh, err := s.open(ctx)
		if err != nil {
			return []string{dir}
		}
		defer fresh.Close()
		conn = fresh
	}
	var left []string
	for _, name := range names {
		if err := s.one(ctx, conn, &transport.Remove{Path: name}); err == nil || transport.KindOf(err) == transport.KindNotExist {
			continue
		}
		// Servers refuse what is not there in many words.
		if err := s.one(ctx, conn, &transport.Stat{Path: name}); transport.KindOf(err) != transport.KindNotExist {
			left = append(left, name)
		}
	}
	if err := s.one(ctx, conn, &transport.Rmdir{Path: dir}); err != nil {
		left = append(left, dir)
	}
	return left
}

// loginsAtOnce opens connections one after the other and holds them, to find the limit.
func (s *seen) loginsAtOnce(ctx context.Context) {
	s.asked.manyTried = true
	var held []transport.Conn
	defer func() {
		for _, c := range held {
			_ = c.Close()
		}
	}()
	for range s.opt.Connections {
		conn, err := s.open(ctx)
		if err != nil {
			s.asked.manyErr = err
			break
		}
		held = append(held, conn)
	}
	s.asked.many = len(held)
}
