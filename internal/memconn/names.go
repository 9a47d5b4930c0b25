package memconn

import (
	"context"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// simple is a method that is one request.
func (c *Conn) simple(ctx context.Context, method string, acts bool, act func() *refusal, path string, more ...string) error {
	k, err := c.begin(ctx, method, acts, path, more...)
	if err != nil {
		return err
	}
	return k.ask(act)
}

var noSuch = no(transport.KindNotExist, "")

// vague is what servers say that do not say why.
func (c *Conn) vague(kind transport.Kind, text string) *refusal {
	switch {
	case !c.s.opts.Vague:
		return no(kind, text)
	case c.sftp:
		return no(transport.KindTemporary, "Failure")
	}
	return no(transport.KindRefused, "Operation failed")
}

// entry describes a node. The caller holds the lock.
func (c *Conn) entry(name string, n *node) transport.Entry {
	e := transport.Entry{Name: name, Type: transport.TypeFile, Size: int64(len(n.data)), ModTime: n.mtime.Truncate(time.Second), TimeExact: c.caps.ExactTimes, Perm: 0o644}
	if n.dir {
		e.Type, e.Size, e.Perm = transport.TypeDir, -1, 0o755
	}
	if n.perm != 0 {
		e.Perm = n.perm
	}
	if !c.caps.ExactTimes {
		e.ModTime = n.mtime.Truncate(time.Minute)
	}
	return e
}

// stat describes one file or folder.
func (c *Conn) stat(ctx context.Context, p string) (e transport.Entry, err error) {
	err = c.simple(ctx, "Stat", false, func() *refusal {
		n := c.s.files.find(p)
		if n == nil {
			return noSuch
		}
		e = c.entry(path.Base(p), n)
		return nil
	}, p)
	if err != nil {
		return transport.Entry{}, err
	}
	return e, nil
}

// listBatch is how many entries one StepData of a List brings.
const listBatch = 100

// list calls yield for each entry of a folder, by name.
func (c *Conn) list(ctx context.Context, p string, yield func(transport.Entry) bool) error {
	k, err := c.begin(ctx, "List", false, p)
	if err != nil {
		return err
	}
	var all []transport.Entry
	err = k.ask(func() *refusal {
		n := c.s.files.find(p)
		switch {
		case n == nil:
			return noSuch
		case !n.dir:
			return no(transport.KindRefused, "Not a directory")
		}
		for _, name := range slices.Sorted(maps.Keys(n.children)) {
			all = append(all, c.entry(name, n.children[name]))
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.dataConn()
	for batch := range slices.Chunk(all, listBatch) {
		f := k.next(StepData, 0, int64(len(batch)))
		if err := k.interrupted(); err != nil {
			return err
		}
		switch f.Do {
		case Pass, Corrupt, LostAfter:
		case CutShort:
			return nil
		case Stall:
			return k.stall()
		case Garbage:
			return k.lost(transport.KindProtocol, errGarbage, true)
		case Refuse:
			return k.refused(newRefusal(f.Kind, f))
		default:
			return k.lost(transport.KindLost, errReset, true)
		}
		for _, e := range batch {
			if !yield(e) {
				c.cutOff()
				return nil
			}
		}
		if f.Do == LostAfter {
			return k.lost(transport.KindLost, errReset, true)
		}
	}
	return nil
}

// rename moves a file or folder.
func (c *Conn) rename(ctx context.Context, from, to string, replace bool) error {
	fs := c.s.files
	return c.simple(ctx, "Rename", true, func() *refusal {
		n := fs.find(from)
		src, name := fs.parent(from)
		dst, target := fs.parent(to)
		if n == nil || src == nil || dst == nil {
			return noSuch
		}
		old := dst.children[target]
		if old == n {
			return nil
		}
		if n.dir && strings.HasPrefix(path.Clean("/"+to)+"/", path.Clean("/"+from)+"/") {
			return no(transport.KindRefused, "Invalid argument")
		}
		if old != nil {
			// RNTO replaces whether asked to or not; plain SFTP never does.
			can := c.caps.ReplaceOnRename && (replace || !c.sftp) && !c.s.opts.RefuseReplace
			if !can || old.dir || n.dir {
				return c.vague(transport.KindExist, "")
			}
		}
		delete(src.children, name)
		dst.children[target] = n
		return nil
	}, from, to)
}

// remove deletes a file.
func (c *Conn) remove(ctx context.Context, p string) error {
	fs := c.s.files
	return c.simple(ctx, "Remove", true, func() *refusal {
		n := fs.find(p)
		dir, name := fs.parent(p)
		switch {
		case n == nil:
			return noSuch
		case n.dir:
			return no(transport.KindRefused, "Is a directory")
		}
		delete(dir.children, name)
		return nil
	}, p)
}

// mkdir creates a folder.
func (c *Conn) mkdir(ctx context.Context, p string) error {
	fs := c.s.files
	return c.simple(ctx, "Mkdir", true, func() *refusal {
		dir, name := fs.parent(p)
		switch {
		case fs.find(p) != nil:
			return c.vague(transport.KindExist, "")
		case dir == nil:
			return noSuch
		}
		dir.children[name] = newFolder()
		return nil
	}, p)
}

// rmdir deletes an empty folder.
func (c *Conn) rmdir(ctx context.Context, p string) error {
	fs := c.s.files
	return c.simple(ctx, "Rmdir", true, func() *refusal {
		n := fs.find(p)
		dir, name := fs.parent(p)
		switch {
		case n == nil:
			return noSuch
		case !n.dir:
			return no(transport.KindRefused, "Not a directory")
		case dir == nil || len(n.children) > 0:
			return c.vague(transport.KindRefused, "Directory not empty")
		}
		delete(dir.children, name)
		return nil
	}, p)
}

// chtimes sets the modification time, to the second.
func (c *Conn) chtimes(ctx context.Context, p string, mtime time.Time) error {
	return c.simple(ctx, "Chtimes", true, func() *refusal {
		n := c.s.files.find(p)
		switch {
		case !c.caps.SetTime:
			return no(transport.KindUnsupported, "")
		case n == nil:
			return noSuch
		}
		n.mtime = mtime.Truncate(time.Second)
		return nil
	}, p)
}

// chmod sets the permission bits.
func (c *Conn) chmod(ctx context.Context, p string, mode uint32) error {
	return c.simple(ctx, "Chmod", true, func() *refusal {
		n := c.s.files.find(p)
		if n == nil {
			return noSuch
		}
		n.perm = fs.FileMode(mode & 0o777)
		return nil
	}, p)
}

// truncate cuts a file to size bytes, or fills it up with zeros.
func (c *Conn) truncate(ctx context.Context, p string, size int64) error {
	return c.simple(ctx, "Truncate", true, func() *refusal {
		n := c.s.files.find(p)
		switch {
		case !c.caps.Truncate:
			return no(transport.KindUnsupported, "")
		case n == nil:
			return noSuch
		case n.dir || size < 0:
			return no(transport.KindRefused, "")
		}
		n.truncate(size)
		return nil
	}, p)
}

// ping makes one round trip.
func (c *Conn) ping(ctx context.Context) error {
	return c.simple(ctx, "Ping", false, func() *refusal { return nil }, "")
}
