package ftpdriver

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// hashRate is how slow a server may be at hashing before it counts as stalled.
const hashRate = 20 << 20

// algorithms, strongest first: the interface's name, that of
// draft-bryan-ftpext-hash, and the older commands that take
// "path start end".
var algorithms = []struct {
	name, draft string
	commands    []string
	size        int
}{
	{"sha512", "SHA-512", []string{"XSHA512"}, 64},
	{"sha256", "SHA-256", []string{"XSHA256"}, 32},
	{"sha1", "SHA-1", []string{"XSHA1", "XSHA"}, 20},
	{"md5", "MD5", []string{"XMD5"}, 16},
	{"crc32", "CRC32", []string{"XCRC"}, 4},
}

// hashes tells which algorithms are offered, and whether they take ranges. If
// some do, only these are named: a hash of a part is worth more than a choice.
func (f features) hashes() (names []string, ranges bool) {
	var ranged []string
	for _, a := range algorithms {
		inHash := f.inHash(a.draft)
		x := f.xCommand(a.commands)
		if inHash || x != "" {
			names = append(names, a.name)
		}
		if inHash && f.has("RANG") || x != "" {
			ranged = append(ranged, a.name)
		}
	}
	if len(ranged) > 0 {
		return ranged, true
	}
	return names, false
}

// inHash looks into "HASH SHA-256*;SHA-1;MD5", where * marks what is selected.
func (f features) inHash(draft string) bool {
	for name := range strings.SplitSeq(f["HASH"], ";") {
		if strings.EqualFold(strings.TrimRight(strings.TrimSpace(name), "*"), draft) {
			return true
		}
	}
	return false
}

func (f features) xCommand(commands []string) string {
	for _, x := range commands {
		if f.has(x) {
			return x
		}
	}
	return ""
}

// hashOwn asks for a digest in an operation of its own, which is given time: with HASH for
// whole files, with the X commands or RANG and HASH for parts.
func (c *Conn) hashOwn(ctx context.Context, q *transport.Hash) error {
	h, _ := c.hashingOf(q.Algo)
	n := q.Size
	h.start, h.whole = q.Offset, q.Offset == 0 && n < 0
	if n < 0 {
		// The size tells the end, and how long the answer may take.
		var entry transport.Entry
		err := c.operate(ctx, wire.WatchOf(c.ep), func(*wire.Op) (err error) {
			entry, err = c.stat(q.Path)
			return err
		})
		if err != nil {
			return c.failure(ctx, &transport.Stat{Path: q.Path}, err, c.ctl.waiting)
		}
		if n = entry.Size - q.Offset; entry.Size < 0 || n < 0 {
			return c.ep.Fail("HASH", q.Path, transport.KindInvalid, fmt.Errorf("there is nothing from byte %d on in a file of %d", q.Offset, entry.Size))
		}
	}
	h.end = q.Offset + n
	watch := wire.WatchOf(c.ep)
	if watch.Stall > 0 {
		watch.Stall += time.Duration(n/hashRate) * time.Second
	}
	watch.MinRate = 0 // nothing moves while a server reads its disk
	return c.operate(ctx, watch, func(*wire.Op) (err error) {
		q.Sum, err = c.hash(q.Path, h)
		return err
	})
}

// hashPart is a request for the digest of a small file, all of which the server has
// taken a moment ago; nil if that takes more than a line. Large ones are given time.
func (c *Conn) hashPart(q *transport.Hash, size int64) *part {
	h, ok := c.hashingOf(q.Algo)
	if !ok || h.x == "" || q.Offset != 0 || q.Size >= 0 && q.Size != size {
		return nil
	}
	h.whole, h.end = true, size
	abs, err := c.absolute(q.Path)
	if err != nil {
		return nil
	}
	return &part{q: q, lines: []string{h.x + " " + quote(abs)}, judge: func(r []reply) (look func() error, err error) {
		if r[0].positive() {
			q.Sum, err = h.digits(r[0])
			return nil, err
		}
		c.withoutHash(r[0])
		if err = c.refused(r[0], q.Path); !h.viaHash || !c.feats.has("HASH") {
			return nil, err
		}
		return func() (err error) { q.Sum, err = c.hash(q.Path, h); return err }, nil
	}}
}

// hashing is one request for a digest of the bytes from start up to end.
type hashing struct {
	draft      string
	size       int
	x          string
	viaHash    bool
	start, end int64
	whole      bool
	ranged     bool // RANG was sent
}

func (c *Conn) hashingOf(algo string) (h hashing, ok bool) {
	for _, a := range algorithms {
		if a.name == algo && c.Info().Caps.HasHash(algo) {
			return hashing{draft: a.draft, size: a.size, x: c.feats.xCommand(a.commands), viaHash: c.feats.inHash(a.draft)}, true
		}
	}
	return h, false
}

func (c *Conn) hash(name string, h hashing) ([]byte, error) {
	abs, err := c.absolute(name)
	if err != nil {
		return nil, err
	}
	if h.viaHash && (h.whole || h.x == "" || h.start == h.end) {
		sum, err := c.viaHash(abs, h)
		// ftpserverlib splits names at spaces, ProFTPD does not: what one
		// command does not find the other may.
		if err == nil || h.x == "" || h.start == h.end && !h.whole || !isReply(err) || c.ctl.broken.Load() {
			return sum, err
		}
	}
	if h.x == "" || h.start == h.end && !h.whole {
		return nil, as(transport.KindUnsupported, errors.New("the server has no command for this hash of a part"))
	}
	return c.viaX(abs, h)
}

// absolute makes a path independent of the folder: ftpserverlib resolves the
// arguments of hash commands from the root.
func (c *Conn) absolute(name string) (string, error) {
	if strings.HasPrefix(name, "/") {
		return name, nil
	}
	if err := c.findHome(); err != nil {
		return "", err
	}
	if !strings.HasPrefix(c.home, "/") {
		return name, nil
	}
	return path.Join(c.home, name), nil
}

// viaHash uses HASH, of a part with RANG (draft-bryan-ftp-range), whose end
// point is the last byte and no byte behind it.
func (c *Conn) viaHash(name string, h hashing) ([]byte, error) {
	if c.hashAlgo != h.draft {
		r, err := c.ctl.command("OPTS HASH " + h.draft)
		if err != nil {
			return nil, err
		}
		if !r.positive() {
			c.withoutHash(r)
			return nil, r.err()
		}
		c.hashAlgo = h.draft
	}
	h.ranged = c.feats.has("RANG") && !h.whole && h.end > h.start
	if h.ranged {
		r, err := c.ctl.command(fmt.Sprintf("RANG %d %d", h.start, h.end-1))
		if err != nil {
			return nil, err
		}
		if r.code != 350 {
			return nil, r.err()
		}
	}
	r, err := c.ctl.command("HASH " + name)
	if err != nil {
		return nil, err
	}
	if h.ranged {
		// "RANG 1 0" takes a range back, which would also be that of a RETR.
		if _, err := c.ctl.command("RANG 1 0"); err != nil {
			return nil, err
		}
	}
	if !r.positive() {
		c.withoutHash(r)
		return nil, r.err()
	}
	return h.check(r)
}

// check reads "SHA-256 0-49 6169... name" and sees to it that it is what was
// asked for. The end is that of the last byte in the draft, and the size on
// ProFTPD and ftpserverlib.
func (h hashing) check(r reply) ([]byte, error) {
	f := strings.Fields(r.last())
	if len(f) < 3 || !strings.EqualFold(f[0], h.draft) {
		return nil, badReply("HASH", r.shown())
	}
	from, to, ok := strings.Cut(f[1], "-")
	start, err1 := strconv.ParseInt(from, 10, 64)
	end, err2 := strconv.ParseInt(to, 10, 64)
	if !ok || err1 != nil || err2 != nil {
		return nil, badReply("HASH", r.shown())
	}
	if start != h.start || end != h.end && end != h.end-1 {
		kind := transport.KindProtocol
		if !h.whole && !h.ranged {
			kind = transport.KindUnsupported // it hashes whole files only
		}
		return nil, as(kind, fmt.Errorf("asked for the hash of bytes %d to %d, the server answers with that of %s", h.start, h.end-1, f[1]))
	}
	sum, err := hex.DecodeString(f[2])
	if err != nil || len(sum) != h.size {
		return nil, badReply("HASH", r.shown())
	}
	return sum, nil
}

// viaX uses XSHA256 and its kind. The end is the byte behind the last on ProFTPD
// and ftpserverlib; no document says so.
func (c *Conn) viaX(name string, h hashing) ([]byte, error) {
	line := h.x + " " + quote(name)
	if !h.whole {
		line += fmt.Sprintf(" %d %d", h.start, h.end)
	}
	r, err := c.ctl.command(line)
	if err != nil {
		return nil, err
	}
	if !r.positive() {
		c.withoutHash(r)
		return nil, r.err()
	}
	return h.digits(r)
}

// digits reads "250 6169...", or a word or the name before it.
func (h hashing) digits(r reply) ([]byte, error) {
	f := strings.Fields(r.last())
	if len(f) == 0 {
		return nil, badReply(h.x, r.shown())
	}
	digits := f[len(f)-1]
	if pad := 2*h.size - len(digits); h.size == 4 && pad > 0 && pad < 8 {
		digits = strings.Repeat("0", pad) + digits // a CRC printed as a number
	}
	sum, err := hex.DecodeString(digits)
	if err != nil || len(sum) != h.size {
		return nil, badReply(h.x, r.shown())
	}
	return sum, nil
}

// quote keeps a name with spaces together, where numbers follow it. One with
// quotes as well is beyond what servers agree on.
func quote(name string) string {
	if !strings.Contains(name, " ") {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}
