package memconn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// store writes src to the file from offset on. An offset that is neither 0 nor
// the size does what most servers do: inside the file it keeps the old tail,
// beyond its end it leaves a hole of zeros. A source that fails costs the
// connection with [Options].CutCosts alone.
func (c *Conn) store(ctx context.Context, r *transport.Store) (int64, error) {
	k, err := c.begin(ctx, "Store", true, r.Path)
	if err != nil {
		return 0, err
	}
	if r.ASCII {
		return 0, k.fail(transport.KindUnsupported, errNoText)
	}
	if r.Offset < 0 {
		return 0, k.fail(transport.KindInvalid, fmt.Errorf("offset %d is negative", r.Offset))
	}
	u := &store{call: k, appends: r.Append, fresh: r.New, src: r.Src, progress: r.Progress, offset: r.Offset, window: c.caps.WriteWindow, buf: make([]byte, c.s.opts.Chunk), begin: time.Now()}
	if r.Window > 0 {
		u.window = min(u.window, r.Window)
	}
	return u.run()
}

var errNoText = errors.New("files are moved as they are here")

type store struct {
	*call
	src      io.Reader
	progress func(int64)
	buf      []byte
	begin    time.Time
	file     *node
	appends  bool // the file is not emptied
	fresh    bool // it must not be there
	offset   int64
	window   int64 // how much may be under way
	sent     int64 // bytes after offset handed to the line
	acked    int64 // bytes after offset acknowledged without a gap
	cut      bool  // CutShort has struck
}

func (u *store) run() (int64, error) {
	if err := u.open(); err != nil {
		return 0, err
	}
	u.op = u.c.request("Write")
	u.c.dataConn()
	for {
		n, rerr := u.src.Read(u.buf)
		if n > 0 {
			if err := u.chunk(u.buf[:n]); err != nil {
				return u.failed(err)
			}
		}
		// The line may have gone while the source was being read.
		if err := u.interrupted(); err != nil {
			return u.failed(err)
		}
		if rerr == io.EOF {
			break
		}
		if rerr != nil {
			n, err := u.failed(u.fail(transport.KindLocal, &transport.LocalError{Err: rerr}))
			u.c.cutOff()
			return n, err
		}
	}
	u.op = u.c.request("Close")
	var err error
	if u.c.sftp {
		err = u.ask(func() *refusal { return nil })
		if err != nil && u.c.Usable() {
			return 0, err // the server takes back what it had acknowledged
		}
	} else {
		err = u.reply(nil)
	}
	if err != nil {
		return u.failed(err)
	}
	return u.sent, nil
}

// open has the file opened, once no older session holds it.
func (u *store) open() error {
	var until time.Time
	u.c.s.files.lock()
	if n := u.c.s.files.find(u.path); n != nil {
		until = n.lockedUntil
	}
	u.c.s.files.unlock()
	if d := time.Until(until); d > 0 {
		if stall := u.c.ep.Stall; stall > 0 && d > stall {
			if pause(u.ctx, u.c.done, stall) == nil {
				return u.lost(transport.KindLocked, errLocked, true)
			}
		} else {
			_ = pause(u.ctx, u.c.done, d)
		}
		if err := u.interrupted(); err != nil {
			return err
		}
	}
	return u.ask(u.create)
}

var errLocked = errors.New("no answer: an older session holds the file")

// create opens the file for writing, with the disk locked.
func (u *store) create() *refusal {
	fs := u.c.s.files
	n := fs.find(u.path)
	dir, name := fs.parent(u.path)
	switch {
	case dir == nil && name != "" && u.c.s.opts.Vague && !u.c.sftp:
		return &refusal{kind: transport.KindRefused, code: 553, text: "Could not create file."}
	case dir == nil && name != "":
		return noSuch
	case dir == nil, n != nil && n.dir:
		return no(transport.KindRefused, "Is a directory")
	case n != nil && u.fresh && u.c.sftp:
		return no(transport.KindExist, "File exists")
	case u.offset > 0 && u.c.s.opts.NoRestart && (u.c.sftp || !u.appends):
		return no(transport.KindRestart, "")
	case u.offset > 0 && n == nil && u.c.sftp:
		return noSuch
	case n == nil:
		n = &node{mtime: time.Now()}
		dir.children[name] = n
	case u.appends && !u.c.sftp:
		u.offset = int64(len(n.data)) // whatever the client takes it for
	case u.offset == 0 && !u.appends:
		n.truncate(0)
	}
	u.file = n
	return nil
}

// chunk sends p, which lies behind all that was sent.
func (u *store) chunk(p []byte) error {
	if err := u.interrupted(); err != nil {
		return err
	}
	at := u.offset + u.sent
	f := u.next(StepData, at, int64(len(p)))
	if err := u.pace(int64(len(p)), u.begin); err != nil {
		return err
	}
	if f.Do != Unsent && f.Do != Stall {
		u.sent += int64(len(p))
		u.report(int64(len(p)))
	}
	switch f.Do {
	case Pass, Corrupt:
		if f.Do == Corrupt {
			p = append([]byte{p[0] ^ 0xff}, p[1:]...)
		}
		u.write(at, p)
		u.acked = u.sent
		return nil
	case CutShort:
		u.cut = true
		u.acked = u.sent
		return nil
	case Stall:
		u.lockFile(u.c.s.opts.LockFor)
		return u.stall()
	case Refuse:
		return u.refused(newRefusal(f.Kind, f))
	case Garbage:
		u.write(at, p)
		return u.lost(transport.KindProtocol, errGarbage, true)
	case LostAfter:
		u.write(at, p)
	case LostBefore:
		u.drop(f.Bytes)
	case ShortWrite:
		n := f.Bytes
		if n <= 0 || n > int64(len(p)) {
			n = int64(len(p)) / 2
		}
		u.write(at, p[:n])
	case Hole:
		if u.c.sftp {
			u.hole(at+int64(len(p)), u.overread(min(orElse(f.Bytes, int64(len(u.buf))), u.window-int64(len(p)))))
		}
	case LateWrites:
		first := append([]byte{}, p...)
		u.late(at, append(first, u.overread(orElse(f.Bytes, 4*int64(len(u.buf))))...), orElse(f.For, time.Second))
	}
	return u.lost(transport.KindLost, errReset, true)
}

func (u *store) report(n int64) {
	if u.progress != nil && n > 0 {
		u.progress(n)
	}
}

// write is what the server does with a chunk that arrives.
func (u *store) write(at int64, p []byte) {
	if u.cut {
		return // all that comes after CutShort vanishes
	}
	u.c.s.files.lock()
	u.file.writeAt(at, p)
	u.c.s.files.unlock()
	u.c.s.moved(int64(len(p)), 0)
}

// drop takes back the last n bytes, which had not been read by the server.
func (u *store) drop(n int64) {
	if n <= 0 {
		return
	}
	u.c.s.files.lock()
	defer u.c.s.files.unlock()
	u.file.truncate(max(u.offset, int64(len(u.file.data))-n))
	u.acked = min(u.acked, int64(len(u.file.data))-u.offset)
}

// overread reads up to n more bytes of the source: the line has taken them before
// it turned out to be lost.
func (u *store) overread(n int64) []byte {
	if n <= 0 {
		return nil
	}
	p, _ := io.ReadAll(io.LimitReader(u.src, n))
	u.sent += int64(len(p))
	u.report(int64(len(p)))
	return p
}

func (u *store) hole(at int64, p []byte) {
	if len(p) > 0 {
		u.write(at, p)
	}
}

// late leaves p to the old session, which writes it chunk by chunk.
func (u *store) late(at int64, p []byte, over time.Duration) {
	if u.cut {
		return
	}
	fs := u.c.s.files
	fs.lock()
	steps := (len(p)-1)/len(u.buf) + 1
	now := time.Now()
	for i := range steps {
		from, to := i*len(u.buf), min((i+1)*len(u.buf), len(p))
		fs.later(dueWrite{at: now.Add(over * time.Duration(i+1) / time.Duration(steps)), file: u.file, offset: at + int64(from), data: p[from:to]})
	}
	fs.unlock()
	u.c.s.moved(int64(len(p)), 0)
	if u.c.s.opts.LockFor > 0 {
		u.lockFile(max(over, u.c.s.opts.LockFor))
	}
}

func (u *store) lockFile(d time.Duration) {
	if d <= 0 {
		return
	}
	u.c.s.files.lock()
	defer u.c.s.files.unlock()
	u.file.lockedUntil = time.Now().Add(d)
}

// failed says what is known to have arrived: over FTP nothing is; over SFTP the
// acknowledged prefix is, and the file is cut back to it while that is possible.
func (u *store) failed(err error) (int64, error) {
	if !u.c.sftp {
		return 0, err
	}
	if u.c.Usable() {
		u.c.s.files.lock()
		if int64(len(u.file.data)) > u.offset+u.acked {
			u.file.truncate(u.offset + u.acked)
		}
		u.c.s.files.unlock()
	}
	return u.acked, err
}

// pace lets the time pass that n bytes of payload take. Below the endpoint's
// MinRate that ends in a stall.
func (k *call) pace(n int64, begin time.Time) error {
	rate, watch := k.c.s.opts.Rate, k.c.ep
	if rate <= 0 {
		return nil
	}
	d := time.Duration(float64(n) / float64(rate) * float64(time.Second))
	if watch.Stall > 0 && rate < watch.MinRate && time.Since(begin)+d >= watch.Stall {
		if pause(k.ctx, k.c.done, watch.Stall-time.Since(begin)) == nil {
			return k.lost(transport.KindStalled, transport.ErrStalled, true)
		}
		return k.interrupted()
	}
	if pause(k.ctx, k.c.done, d) != nil {
		return k.interrupted()
	}
	return nil
}

func orElse[T int64 | time.Duration](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}
