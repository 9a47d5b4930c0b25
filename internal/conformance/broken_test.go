package conformance

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// changed is a connection of which some methods have been replaced. Nil ones are
// those of the connection beneath.
type changed struct {
	transport.Calls
	info     func() transport.Info
	stat     func(ctx context.Context, p string) (transport.Entry, error)
	list     func(ctx context.Context, p string, yield func(transport.Entry) bool) error
	store    func(ctx context.Context, p string, offset int64, src io.Reader, opt *transport.IO) (int64, error)
	retrieve func(ctx context.Context, p string, offset int64, dst io.Writer, opt *transport.IO) (int64, error)
	rename   func(ctx context.Context, from, to string, replace bool) error
	remove   func(ctx context.Context, p string) error
	mkdir    func(ctx context.Context, p string) error
	rmdir    func(ctx context.Context, p string) error
	chtimes  func(ctx context.Context, p string, mtime time.Time) error
	truncate func(ctx context.Context, p string, size int64) error
	hash     func(ctx context.Context, p, algo string, offset, n int64) ([]byte, error)
	ping     func(ctx context.Context) error
	usable   func() bool
	forgets  bool // that a Store is to append
	close    func() error
}

func or[F any](f F, is bool, beneath F) F {
	if is {
		return f
	}
	return beneath
}

func (c *changed) Info() transport.Info { return or(c.info, c.info != nil, c.Conn.Info)() }
func (c *changed) Stat(ctx context.Context, p string) (transport.Entry, error) {
	return or(c.stat, c.stat != nil, c.Calls.Stat)(ctx, p)
}
func (c *changed) List(ctx context.Context, p string, yield func(transport.Entry) bool) error {
	return or(c.list, c.list != nil, c.Calls.List)(ctx, p, yield)
}
func (c *changed) Store(ctx context.Context, p string, offset int64, src io.Reader, opt *transport.IO) (int64, error) {
	return or(c.store, c.store != nil, c.Calls.Store)(ctx, p, offset, src, opt)
}
func (c *changed) Retrieve(ctx context.Context, p string, offset int64, dst io.Writer, opt *transport.IO) (int64, error) {
	return or(c.retrieve, c.retrieve != nil, c.Calls.Retrieve)(ctx, p, offset, dst, opt)
}
func (c *changed) Rename(ctx context.Context, from, to string, replace bool) error {
	return or(c.rename, c.rename != nil, c.Calls.Rename)(ctx, from, to, replace)
}
func (c *changed) Remove(ctx context.Context, p string) error {
	return or(c.remove, c.remove != nil, c.Calls.Remove)(ctx, p)
}
func (c *changed) Mkdir(ctx context.Context, p string) error {
	return or(c.mkdir, c.mkdir != nil, c.Calls.Mkdir)(ctx, p)
}
func (c *changed) Rmdir(ctx context.Context, p string) error {
	return or(c.rmdir, c.rmdir != nil, c.Calls.Rmdir)(ctx, p)
}
func (c *changed) Chtimes(ctx context.Context, p string, mtime time.Time) error {
	return or(c.chtimes, c.chtimes != nil, c.Calls.Chtimes)(ctx, p, mtime)
}
func (c *changed) Truncate(ctx context.Context, p string, size int64) error {
	return or(c.truncate, c.truncate != nil, c.Calls.Truncate)(ctx, p, size)
}
func (c *changed) Hash(ctx context.Context, p, algo string, offset, n int64) ([]byte, error) {
	return or(c.hash, c.hash != nil, c.Calls.Hash)(ctx, p, algo, offset, n)
}
func (c *changed) Ping(ctx context.Context) error {
	return or(c.ping, c.ping != nil, c.Calls.Ping)(ctx)
}
func (c *changed) Usable() bool { return or(c.usable, c.usable != nil, c.Conn.Usable)() }
func (c *changed) Close() error { return or(c.close, c.close != nil, c.Conn.Close)() }

// Do carries out a batch by the methods, one after the other.
func (c *changed) Do(ctx context.Context, b *transport.Batch) error {
	return transport.InTurn(ctx, b, c.Usable, func(ctx context.Context, r transport.Request) (err error) {
		switch r := r.(type) {
		case *transport.Stat:
			r.Entry, err = c.Stat(ctx, r.Path)
		case *transport.List:
			err = c.List(ctx, r.Path, r.Yield)
		case *transport.Store:
			if r.Append && c.store == nil {
				return c.appended(ctx, r)
			}
			r.Stored, err = c.Store(ctx, r.Path, r.Offset, r.Src, &transport.IO{Size: r.Size, Progress: r.Progress})
		case *transport.Retrieve:
			r.Received, err = c.Retrieve(ctx, r.Path, r.Offset, r.Dst, &transport.IO{Size: r.Size, Limit: r.Limit, Progress: r.Progress})
		case *transport.Rename:
			err = c.Rename(ctx, r.From, r.To, r.Replace)
		case *transport.Remove:
			err = c.Remove(ctx, r.Path)
		case *transport.Mkdir:
			err = c.Mkdir(ctx, r.Path)
		case *transport.Rmdir:
			err = c.Rmdir(ctx, r.Path)
		case *transport.SetTime:
			err = c.Chtimes(ctx, r.Path, r.Time)
		case *transport.Truncate:
			err = c.Truncate(ctx, r.Path, r.Size)
		case *transport.Hash:
			r.Sum, err = c.Hash(ctx, r.Path, r.Algo, r.Offset, r.Size)
		case *transport.Ping:
			err = c.Ping(ctx)
		}
		return err
	})
}

// appended carries out a Store with Append.
func (c *changed) appended(ctx context.Context, r *transport.Store) error {
	own := *r
	own.Append = !c.forgets
	if c.forgets {
		own.Offset = 0
	}
	err := c.Conn.Do(ctx, transport.NewBatch(&own))
	if r.Stored = own.Stored; own.Err != nil && own.Err != transport.ErrUnsent {
		err = own.Err
	}
	return err
}

// tell calls Progress, if there is one.
func tell(opt *transport.IO, n int64) {
	if opt.Progress != nil && n > 0 {
		opt.Progress(n)
	}
}

// broken are connections that break the contract in one way each, and the cases
// that must notice, every one of them.
var broken = []struct {
	name   string
	change func(c *changed)
	notice []string
}{
	{"Info without security", func(c *changed) {
		c.info = func() transport.Info { i := c.Conn.Info(); i.Security = nil; return i }
	}, []string{"Info"}},
	{"Info without address", func(c *changed) {
		c.info = func() transport.Info { i := c.Conn.Info(); i.Addr = ""; return i }
	}, []string{"Info", "StatMissing"}},
	{"Ping that fails", func(c *changed) {
		c.ping = func(context.Context) error { return errors.New("no") }
	}, []string{"Ping", "List"}},
	{"an unknown kind for what is missing", func(c *changed) {
		c.stat = func(ctx context.Context, p string) (transport.Entry, error) {
			e, err := c.Calls.Stat(ctx, p)
			return e, withKind(err, transport.KindNotExist, transport.KindUnknown)
		}
	}, []string{"StatMissing", "Sequence"}},
	{"errors without a kind", func(c *changed) {
		c.stat = func(ctx context.Context, p string) (transport.Entry, error) {
			e, err := c.Calls.Stat(ctx, p)
			if err != nil {
				err = errors.New(err.Error())
			}
			return e, err
		}
	}, []string{"StatMissing"}},
	{"errors that do not say whose they are", func(c *changed) {
		c.remove = func(ctx context.Context, p string) error {
			err := c.Calls.Remove(ctx, p)
			var te *transport.Error
			if errors.As(err, &te) {
				te.Addr = ""
			}
			return err
		}
	}, []string{"Remove"}},
	{"an entry besides the error", func(c *changed) {
		c.stat = func(ctx context.Context, p string) (transport.Entry, error) {
			e, err := c.Calls.Stat(ctx, p)
			e.Name = path.Base(p)
			return e, err
		}
	}, []string{"StatMissing"}},
	{"the whole path as a name", func(c *changed) {
		c.stat = func(ctx context.Context, p string) (transport.Entry, error) {
			e, err := c.Calls.Stat(ctx, p)
			if err == nil {
				e.Name = p
			}
			return e, err
		}
	}, []string{"Stat", "Names"}},
	{"replies off by one", func(c *changed) {
		var last func() (transport.Entry, error)
		c.stat = func(ctx context.Context, p string) (transport.Entry, error) {
			e, err := c.Calls.Stat(ctx, p)
			answer := func() (transport.Entry, error) { return e, err }
			if last == nil {
				last = answer
			}
			answer, last = last, answer
			return answer()
		}
	}, []string{"Stat", "Remove", "Sequence"}},

	{"Store without the last byte", func(c *changed) {
		c.store = func(ctx context.Context, p string, offset int64, src io.Reader, opt *transport.IO) (int64, error) {
			data, err := io.ReadAll(src)
			if err != nil || len(data) == 0 {
				return c.Calls.Store(ctx, p, offset, io.MultiReader(bytes.NewReader(data), failIf(err)), opt)
			}
			n, err := c.Calls.Store(ctx, p, offset, bytes.NewReader(data[:len(data)-1]), opt)
			return n + 1, err
		}
	}, []string{"Store", "StoreReplaces", "StoreAppends", "Retrieve"}},
	{"Store that forgets Append", func(c *changed) { c.forgets = true }, []string{"StoreAppend"}},
	{"Store that is not told of the offset", func(c *changed) {
		c.store = func(ctx context.Context, p string, _ int64, src io.Reader, opt *transport.IO) (int64, error) {
			return c.Calls.Store(ctx, p, 0, src, opt)
		}
	}, []string{"StoreAppends", "StoreAppend"}},
	{"Store that counts from the begin of the file", func(c *changed) {
		c.store = func(ctx context.Context, p string, offset int64, src io.Reader, opt *transport.IO) (int64, error) {
			n, err := c.Calls.Store(ctx, p, offset, src, opt)
			return n + offset, err
		}
	}, []string{"StoreAppends"}},
	{"Store that does not empty the file", func(c *changed) {
		c.store = func(ctx context.Context, p string, offset int64, src io.Reader, opt *transport.IO) (int64, error) {
			st, err := c.Calls.Stat(ctx, p)
			if offset > 0 || err != nil || st.IsDir() {
				return c.Calls.Store(ctx, p, offset, src, opt)
			}
			return c.Calls.Store(ctx, p, 0, io.MultiReader(src, bytes.NewReader(make([]byte, max(0, st.Size-10)))), opt)
		}
	}, []string{"StoreReplaces"}},
	{"Store makes folders", func(c *changed) {
		c.store = func(ctx context.Context, p string, offset int64, src io.Reader, opt *transport.IO) (int64, error) {
			_ = c.Calls.Mkdir(ctx, path.Dir(p))
			return c.Calls.Store(ctx, p, offset, src, opt)
		}
	}, []string{"StoreMissingFolder"}},
	{"a refused Store is unknown", func(c *changed) {
		c.store = func(ctx context.Context, p string, offset int64, src io.Reader, opt *transport.IO) (int64, error) {
			n, err := c.Calls.Store(ctx, p, offset, src, opt)
			for _, k := range refused {
				err = withKind(err, k, transport.KindUnknown)
			}
			return n, err
		}
	}, []string{"StoreMissingFolder", "StoreOntoFolder", "Permission"}},
	{"a folder is an empty file", func(c *changed) {
		c.retrieve = func(ctx context.Context, p string, offset int64, dst io.Writer, opt *transport.IO) (int64, error) {
			if st, err := c.Calls.Stat(ctx, p); err == nil && st.IsDir() {
				return 0, nil
			}
			return c.Calls.Retrieve(ctx, p, offset, dst, opt)
		}
	}, []string{"RetrieveFolder"}},
	{"Store that believes the size", func(c *changed) {
		c.store = func(ctx context.Context, p string, offset int64, src io.Reader, opt *transport.IO) (int64, error) {
			if n := opt.Size; n > 0 {
				src = io.LimitReader(src, n)
			}
			return c.Calls.Store(ctx, p, offset, src, opt)
		}
	}, []string{"StoreHints"}},
	{"Store that reads beyond a file's limit", func(c *changed) {
		c.store = func(ctx context.Context, p string, offset int64, src io.Reader, opt *transport.IO) (int64, error) {
			if l, ok := src.(*io.LimitedReader); ok {
				src = l.R
			}
			return c.Calls.Store(ctx, p, offset, src, opt)
		}
	}, []string{"StoreFileSource"}},
	{"Store that closes its source", func(c *changed) {
		c.store = func(ctx context.Context, p string, offset int64, src io.Reader, opt *transport.IO) (int64, error) {
			n, err := c.Calls.Store(ctx, p, offset, src, opt)
			if f, ok := src.(io.Closer); ok {
				f.Close()
			}
			return n, err
		}
	}, []string{"StoreFileSource"}},
	{"a source that fails is the end of the file", func(c *changed) {
		c.store = func(ctx context.Context, p string, offset int64, src io.Reader, opt *transport.IO) (int64, error) {
			return c.Calls.Store(ctx, p, offset, quiet{src}, opt)
		}
	}, []string{"StoreSourceFails"}},
	{"a source that fails is a line that is lost", func(c *changed) {
		c.store = func(ctx context.Context, p string, offset int64, src io.Reader, opt *transport.IO) (int64, error) {
			n, err := c.Calls.Store(ctx, p, offset, src, opt)
			return n, withKind(err, transport.KindLocal, transport.KindLost)
		}
	}, []string{"StoreSourceFails"}},
	{"Store that claims what it was given", func(c *changed) {
		c.store = func(ctx context.Context, p string, offset int64, src io.Reader, opt *transport.IO) (int64, error) {
			count := &counter{r: src}
			_, err := c.Calls.Store(ctx, p, offset, count, opt)
			return count.n, err
		}
	}, []string{"StoreSourceFails", "CanceledStore"}},
	{"progress twice", func(c *changed) {
		c.store = func(ctx context.Context, p string, offset int64, src io.Reader, opt *transport.IO) (int64, error) {
			return c.Calls.Store(ctx, p, offset, src, told(opt, func(n int64) { tell(opt, n); tell(opt, n) }))
		}
		c.retrieve = func(ctx context.Context, p string, offset int64, dst io.Writer, opt *transport.IO) (int64, error) {
			return c.Calls.Retrieve(ctx, p, offset, dst, told(opt, func(n int64) { tell(opt, n); tell(opt, n) }))
		}
	}, []string{"StoreProgress", "RetrieveProgress"}},
	{"no progress", func(c *changed) {
		c.store = func(ctx context.Context, p string, offset int64, src io.Reader, opt *transport.IO) (int64, error) {
			return c.Calls.Store(ctx, p, offset, src, told(opt, nil))
		}
	}, []string{"StoreProgress"}},

	{"Retrieve that ignores the limit", func(c *changed) {
		c.retrieve = func(ctx context.Context, p string, offset int64, dst io.Writer, opt *transport.IO) (int64, error) {
			return c.Calls.Retrieve(ctx, p, offset, dst, unlimited(opt))
		}
	}, []string{"RetrieveLimit", "RetrieveLimitKeeps", "RetrieveProgress"}},
	{"Retrieve that pays for the limit", func(c *changed) {
		c.retrieve = func(ctx context.Context, p string, offset int64, dst io.Writer, opt *transport.IO) (int64, error) {
			n, err := c.Calls.Retrieve(ctx, p, offset, dst, opt)
			if opt.Limit > 0 && n == opt.Limit {
				c.Conn.Close()
			}
			return n, err
		}
	}, []string{"RetrieveLimitKeeps"}},
	{"Retrieve that takes what wants no more for broken", func(c *changed) {
		c.retrieve = func(ctx context.Context, p string, offset int64, dst io.Writer, opt *transport.IO) (int64, error) {
			return c.Calls.Retrieve(ctx, p, offset, &sink{dst}, opt)
		}
	}, []string{"RetrieveEnough"}},
	{"Retrieve that is not told of the offset", func(c *changed) {
		c.retrieve = func(ctx context.Context, p string, _ int64, dst io.Writer, opt *transport.IO) (int64, error) {
			return c.Calls.Retrieve(ctx, p, 0, dst, opt)
		}
	}, []string{"RetrieveOffsets", "RetrieveBeyondEnd"}},
	{"Retrieve that believes the size", func(c *changed) {
		c.retrieve = func(ctx context.Context, p string, offset int64, dst io.Writer, opt *transport.IO) (int64, error) {
			limited := transport.IO{}
			if opt != nil {
				limited = *opt
			}
			if limited.Limit == 0 {
				limited.Limit = opt.Size
			}
			return c.Calls.Retrieve(ctx, p, offset, dst, &limited)
		}
	}, []string{"RetrieveHints"}},
	{"Retrieve without the end", func(c *changed) {
		c.retrieve = func(ctx context.Context, p string, offset int64, dst io.Writer, opt *transport.IO) (int64, error) {
			var all bytes.Buffer
			n, err := c.Calls.Retrieve(ctx, p, offset, &all, opt)
			if n > 1<<20 {
				all.Truncate(all.Len() - 1)
			}
			m, werr := dst.Write(all.Bytes())
			return int64(m), errors.Join(err, werr)
		}
	}, []string{"Retrieve", "RetrieveProgress"}},
	{"bytes of a missing file", func(c *changed) {
		c.retrieve = func(ctx context.Context, p string, offset int64, dst io.Writer, opt *transport.IO) (int64, error) {
			n, err := c.Calls.Retrieve(ctx, p, offset, dst, opt)
			if transport.KindOf(err) == transport.KindNotExist {
				_, _ = io.WriteString(dst, "550 no such file")
			}
			return n, err
		}
	}, []string{"RetrieveMissing"}},
	{"a missing file is empty", func(c *changed) {
		c.retrieve = func(ctx context.Context, p string, offset int64, dst io.Writer, opt *transport.IO) (int64, error) {
			n, err := c.Calls.Retrieve(ctx, p, offset, dst, opt)
			if transport.KindOf(err) == transport.KindNotExist {
				err = nil
			}
			return n, err
		}
	}, []string{"RetrieveMissing", "Sequence"}},
	{"a destination that fails is a line that is lost", func(c *changed) {
		c.retrieve = func(ctx context.Context, p string, offset int64, dst io.Writer, opt *transport.IO) (int64, error) {
			n, err := c.Calls.Retrieve(ctx, p, offset, dst, opt)
			return n, withKind(err, transport.KindLocal, transport.KindLost)
		}
	}, []string{"RetrieveSinkFails"}},
	{"Retrieve that counts what it was sent", func(c *changed) {
		c.retrieve = func(ctx context.Context, p string, offset int64, dst io.Writer, opt *transport.IO) (int64, error) {
			n, err := c.Calls.Retrieve(ctx, p, offset, dst, opt)
			if err != nil && c.Conn.Usable() {
				n += 100
			}
			return n, err
		}
	}, []string{"RetrieveSinkFails", "RetrieveMissing"}},

	{"List with . and ..", func(c *changed) {
		c.list = func(ctx context.Context, p string, yield func(transport.Entry) bool) error {
			for _, name := range []string{".", ".."} {
				if !yield(transport.Entry{Name: name, Type: transport.TypeDir}) {
					return nil
				}
			}
			return c.Calls.List(ctx, p, yield)
		}
	}, []string{"List", "ListMany", "ListMissing", "Names"}},
	{"List that leaves an entry out", func(c *changed) {
		c.list = func(ctx context.Context, p string, yield func(transport.Entry) bool) error {
			n := 0
			return c.Calls.List(ctx, p, func(e transport.Entry) bool { n++; return n == 256 || yield(e) })
		}
	}, []string{"ListMany"}},
	{"List that goes on", func(c *changed) {
		c.list = func(ctx context.Context, p string, yield func(transport.Entry) bool) error {
			return c.Calls.List(ctx, p, func(e transport.Entry) bool { yield(e); return true })
		}
	}, []string{"ListStops"}},
	{"List that takes stopping for a failure", func(c *changed) {
		c.list = func(ctx context.Context, p string, yield func(transport.Entry) bool) error {
			stopped := false
			err := c.Calls.List(ctx, p, func(e transport.Entry) bool { stopped = !yield(e); return !stopped })
			if stopped {
				return errors.New("stopped")
			}
			return err
		}
	}, []string{"ListStops"}},
	{"a missing folder is empty", func(c *changed) {
		c.list = func(ctx context.Context, p string, yield func(transport.Entry) bool) error {
			if err := c.Calls.List(ctx, p, yield); transport.KindOf(err) != transport.KindNotExist {
				return err
			}
			return nil
		}
	}, []string{"ListMissing"}},
	{"names of the end of a line", func(c *changed) {
		c.list = func(ctx context.Context, p string, yield func(transport.Entry) bool) error {
			return c.Calls.List(ctx, p, func(e transport.Entry) bool { e.Name = strings.TrimRight(e.Name, " "); return yield(e) })
		}
	}, []string{"Names", "FolderNames"}},
	{"names are patterns", func(c *changed) {
		c.list = func(ctx context.Context, p string, yield func(transport.Entry) bool) error {
			if strings.Contains(p, "[") {
				p = strings.NewReplacer("[", "", "]", "").Replace(p)
			}
			return c.Calls.List(ctx, p, yield)
		}
	}, []string{"FolderNames"}},
	{"folders without a type", func(c *changed) {
		c.list = func(ctx context.Context, p string, yield func(transport.Entry) bool) error {
			return c.Calls.List(ctx, p, func(e transport.Entry) bool { e.Type = transport.TypeFile; return yield(e) })
		}
	}, []string{"List", "FolderNames"}},

	{"Mkdir of what is there", func(c *changed) {
		c.mkdir = func(ctx context.Context, p string) error {
			err := c.Calls.Mkdir(ctx, p)
			if transport.KindOf(err) == transport.KindExist {
				return nil
			}
			return err
		}
	}, []string{"Mkdir"}},
	{"Mkdir makes parents", func(c *changed) {
		c.mkdir = func(ctx context.Context, p string) error {
			err := c.Calls.Mkdir(ctx, p)
			if transport.KindOf(err) == transport.KindNotExist {
				_ = c.Calls.Mkdir(ctx, path.Dir(p))
			}
			return err
		}
	}, []string{"Mkdir"}},
	{"Rmdir with all that is in it", func(c *changed) {
		c.rmdir = func(ctx context.Context, p string) error {
			_ = c.Calls.Remove(ctx, p+"/f")
			return c.Calls.Rmdir(ctx, p)
		}
	}, []string{"Rmdir"}},
	{"Rmdir removes files", func(c *changed) {
		c.rmdir = func(ctx context.Context, p string) error {
			if c.Calls.Remove(ctx, p) == nil {
				return nil
			}
			return c.Calls.Rmdir(ctx, p)
		}
	}, []string{"Rmdir"}},
	{"Remove removes folders", func(c *changed) {
		c.remove = func(ctx context.Context, p string) error {
			if c.Calls.Rmdir(ctx, p) == nil {
				return nil
			}
			return c.Calls.Remove(ctx, p)
		}
	}, []string{"Remove"}},
	{"Remove of what is missing", func(c *changed) {
		c.remove = func(ctx context.Context, p string) error {
			err := c.Calls.Remove(ctx, p)
			if transport.KindOf(err) == transport.KindNotExist {
				return nil
			}
			return err
		}
	}, []string{"Remove", "Sequence"}},
	{"Rename never replaces", func(c *changed) {
		c.rename = func(ctx context.Context, from, to string, replace bool) error {
			if _, err := c.Calls.Stat(ctx, to); err == nil {
				to = path.Dir(to) // a folder, which is in the way
			}
			return c.Calls.Rename(ctx, from, to, replace)
		}
	}, []string{"RenameReplaces"}},
	{"Rename makes way first", func(c *changed) {
		c.rename = func(ctx context.Context, from, to string, replace bool) error {
			if path.Clean(from) != path.Clean(to) {
				_ = c.Calls.Remove(ctx, to)
			}
			return c.Calls.Rename(ctx, from, to, replace)
		}
	}, []string{"RenameMissing"}},
	{"Rename copies", func(c *changed) {
		c.rename = func(ctx context.Context, from, to string, replace bool) error {
			if err := c.Calls.Rename(ctx, from, to, replace); err != nil {
				return err
			}
			_, _ = c.Calls.Store(ctx, from, 0, strings.NewReader(""), nil)
			return nil
		}
	}, []string{"Rename", "RenameReplaces"}},
	{"Chtimes that does nothing", func(c *changed) {
		c.chtimes = func(context.Context, string, time.Time) error { return nil }
	}, []string{"Chtimes", "HostilePaths"}},
	{"Chtimes in local time", func(c *changed) {
		c.chtimes = func(ctx context.Context, p string, mtime time.Time) error {
			return c.Calls.Chtimes(ctx, p, mtime.Add(time.Hour))
		}
	}, []string{"Chtimes"}},
	{"Truncate that does nothing", func(c *changed) {
		c.truncate = func(ctx context.Context, p string, _ int64) error {
			_, err := c.Calls.Stat(ctx, p)
			return err
		}
	}, []string{"Truncate"}},
	{"Hash of the whole", func(c *changed) {
		c.hash = func(ctx context.Context, p, algo string, _, _ int64) ([]byte, error) {
			return c.Calls.Hash(ctx, p, algo, 0, -1)
		}
	}, []string{"Hash"}},
	{"Hash up to the end given", func(c *changed) {
		c.hash = func(ctx context.Context, p, algo string, offset, n int64) ([]byte, error) {
			if n > 1 {
				n--
			}
			return c.Calls.Hash(ctx, p, algo, offset, n)
		}
	}, []string{"Hash"}},
	{"Hash by another algorithm", func(c *changed) {
		c.hash = func(ctx context.Context, p, algo string, offset, n int64) ([]byte, error) {
			if !c.Conn.Info().Caps.HasHash(algo) {
				algo = "md5"
			}
			return c.Calls.Hash(ctx, p, algo, offset, n)
		}
	}, []string{"Hash"}},

	{"paths that are not checked", func(c *changed) {
		clean := func(p string) string { return strings.NewReplacer("\r", "", "\n", "", "\x00", "").Replace(p) }
		c.stat = func(ctx context.Context, p string) (transport.Entry, error) { return c.Calls.Stat(ctx, clean(p)) }
	}, []string{"HostilePaths"}},
	{"paths that are checked on the server", func(c *changed) {
		c.remove = func(ctx context.Context, p string) error {
			if err := c.Calls.Remove(ctx, p); transport.KindOf(err) != transport.KindInvalid {
				return err
			}
			_ = c.Calls.Ping(ctx) // something is sent
			return c.Calls.Remove(ctx, p)
		}
	}, []string{"HostilePaths"}},
	{"a source that is read before the path is checked", func(c *changed) {
		c.store = func(ctx context.Context, p string, offset int64, src io.Reader, opt *transport.IO) (int64, error) {
			first := make([]byte, 1)
			n, err := src.Read(first)
			return c.Calls.Store(ctx, p, offset, io.MultiReader(bytes.NewReader(first[:n]), failIf(err), src), opt)
		}
	}, []string{"HostilePaths", "CanceledBefore", "UseAfterClose"}},
	{"no permission is not there", func(c *changed) {
		c.mkdir = func(ctx context.Context, p string) error {
			return withKind(c.Calls.Mkdir(ctx, p), transport.KindPermission, transport.KindNotExist)
		}
	}, []string{"Permission"}},

	{"contexts are ignored", func(c *changed) {
		c.store = func(ctx context.Context, p string, offset int64, src io.Reader, opt *transport.IO) (int64, error) {
			return c.Calls.Store(context.WithoutCancel(ctx), p, offset, src, opt)
		}
		c.retrieve = func(ctx context.Context, p string, offset int64, dst io.Writer, opt *transport.IO) (int64, error) {
			return c.Calls.Retrieve(context.WithoutCancel(ctx), p, offset, dst, opt)
		}
	}, []string{"CanceledBefore", "CanceledStore", "CanceledRetrieve", "CanceledSource"}},
	{"a cancellation loses its cause", func(c *changed) {
		c.store = func(ctx context.Context, p string, offset int64, src io.Reader, opt *transport.IO) (int64, error) {
			n, err := c.Calls.Store(ctx, p, offset, src, opt)
			if te := (*transport.Error)(nil); errors.As(err, &te) && te.Kind == transport.KindCanceled {
				te.Err = errors.New("canceled")
			}
			return n, err
		}
	}, []string{"CanceledBefore", "CanceledStore", "CanceledSource"}},
	{"a cancellation is a lost line", func(c *changed) {
		c.retrieve = func(ctx context.Context, p string, offset int64, dst io.Writer, opt *transport.IO) (int64, error) {
			n, err := c.Calls.Retrieve(ctx, p, offset, dst, opt)
			return n, withKind(err, transport.KindCanceled, transport.KindLost)
		}
	}, []string{"CanceledBefore", "CanceledRetrieve"}},
	{"usable for ever", func(c *changed) {
		c.usable = func() bool { return true }
	}, []string{"CanceledStore", "CanceledRetrieve", "CloseTwice", "CloseFreesStore", "UseAfterClose"}},
	{"Close that does nothing", func(c *changed) {
		c.close = func() error { return nil }
	}, []string{"CloseFreesStore", "CloseFreesRetrieve", "UseAfterClose"}},
	{"Close only once", func(c *changed) {
		var mu sync.Mutex
		closed := false
		c.close = func() error {
			mu.Lock()
			defer mu.Unlock()
			if closed {
				return errors.New("closed already")
			}
			closed = true
			return c.Conn.Close()
		}
	}, []string{"CloseTwice"}},
	{"Close that waits for the call under way", func(c *changed) {
		var mu sync.Mutex
		c.store = func(ctx context.Context, p string, offset int64, src io.Reader, opt *transport.IO) (int64, error) {
			mu.Lock()
			defer mu.Unlock()
			return c.Calls.Store(ctx, p, offset, src, opt)
		}
		c.close = func() error {
			mu.Lock()
			defer mu.Unlock()
			return c.Conn.Close()
		}
	}, []string{"CloseFreesStore", "AskedMeanwhile"}},
	{"a goroutine is left over", func(c *changed) {
		c.store = func(ctx context.Context, p string, offset int64, src io.Reader, opt *transport.IO) (int64, error) {
			go func(let <-chan struct{}) { <-let }(release)
			return c.Calls.Store(ctx, p, offset, src, opt)
		}
	}, []string{"NoLeaks"}},
	{"a failure costs the connection", func(c *changed) {
		c.stat = func(ctx context.Context, p string) (transport.Entry, error) {
			e, err := c.Calls.Stat(ctx, p)
			if err != nil {
				c.Conn.Close()
			}
			return e, err
		}
	}, []string{"StatMissing"}},
	{"the fiftieth command is one too many", func(c *changed) {
		n := 0
		c.stat = func(ctx context.Context, p string) (transport.Entry, error) {
			if n++; n == 9 {
				c.Conn.Close()
			}
			return c.Calls.Stat(ctx, p)
		}
	}, []string{"Sequence"}},
}

// release lets go of the goroutines that a broken connection leaves behind.
var release chan struct{}

// withKind changes the kind of an error.
func withKind(err error, from, to transport.Kind) error {
	var te *transport.Error
	if errors.As(err, &te) && te.Kind == from {
		te.Kind = to
	}
	return err
}

// failIf is a reader that fails with err, or ends.
func failIf(err error) io.Reader {
	if err == nil || err == io.EOF {
		return strings.NewReader("")
	}
	return readerFunc(func([]byte) (int, error) { return 0, err })
}

// quiet takes any failure for the end.
type quiet struct{ r io.Reader }

func (q quiet) Read(p []byte) (int, error) {
	n, err := q.r.Read(p)
	if err != nil {
		err = io.EOF
	}
	return n, err
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// told is opt with another Progress.
func told(opt *transport.IO, f func(int64)) *transport.IO {
	if opt == nil {
		return nil
	}
	o := *opt
	o.Progress = f
	return &o
}

// sink hides what the destination says.
type sink struct{ dst io.Writer }

func (s *sink) Write(p []byte) (int, error) {
	n, err := s.dst.Write(p)
	if err != nil {
		err = errors.New("failed")
	}
	return n, err
}

func unlimited(opt *transport.IO) *transport.IO {
	if opt == nil {
		return nil
	}
	o := *opt
	o.Limit = 0
	return &o
}

// The suite finds out about each way to break the contract, in each case that is
// meant to, and has nothing to say about a connection that is wrapped and whole.
func TestBrokenConnections(t *testing.T) {
	for _, b := range broken {
		t.Run(b.name, func(t *testing.T) {
			release = make(chan struct{})
			defer close(release)
			open, opts := able.start()
			opts.Timeout = 500 * time.Millisecond
			only := b.notice
			if slices.Equal(only, []string{"NoLeaks"}) {
				only = []string{"StoreReplaces"}
			}
			log := record(func(t T) {
				run(t, func(t T) transport.Conn {
					c := &changed{Calls: transport.Calls{Conn: open(t)}}
					b.change(c)
					t.Cleanup(func() { c.Conn.Close() })
					return c
				}, opts, only...)
			})
			failed := map[string]bool{}
			for _, name := range log.failedTests() {
				top, _, _ := strings.Cut(name, "/")
				failed[top] = true
			}
			for _, name := range b.notice {
				if !failed[name] {
					t.Errorf("case %s did not notice; those that did are %q", name, slices.Sorted(maps.Keys(failed)))
				}
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		open, opts := able.start()
		log := record(func(t T) {
			run(t, func(t T) transport.Conn { return &changed{Calls: transport.Calls{Conn: open(t)}} }, opts)
		})
		for _, f := range log.failures {
			t.Errorf("%s: %s", f.test, f.text)
		}
		for _, c := range cases {
			if !slices.Contains(log.passed, c.name) {
				t.Errorf("case %s did not pass", c.name)
			}
		}
	})
}

// A Progress whose calls overlap is noticed; with the race detector it would be a
// race in the meter first, so it is called here in the way that it would be.
func TestOverlap(t *testing.T) {
	var m meter
	m.inside.Add(1) // another call is inside
	m.add(5)
	log := record(func(t T) { m.check(&env{T: t}, "x", 5, 1) })
	if len(log.failures) != 1 || !strings.Contains(log.failures[0].text, "overlap") {
		t.Errorf("%+v", log.failures)
	}
}

func TestSkips(t *testing.T) {
	open, opts := flavours[0].start()
	opts.Skip = map[string]string{"Store/slow": "why not", "Ping": "why not", "No such case": "a mistake"}
	log := record(func(t T) { run(t, open, opts, "Store", "Ping") })
	if len(log.failures) != 1 || !strings.Contains(log.failures[0].text, "No such case") {
		t.Errorf("%+v", log.failures)
	}
}

// Every case is named by some broken connection, so that none of them passes
// whatever happens. memconn has no links; on a real server those cases have failed.
func TestEveryCaseCanFail(t *testing.T) {
	named := map[string]bool{"StatLink": true, "ListLinks": true}
	for _, b := range broken {
		for _, name := range b.notice {
			named[name] = true
		}
	}
	for _, c := range cases {
		if !named[c.name] {
			t.Errorf("no broken connection shows that case %s can fail", c.name)
		}
	}
}
