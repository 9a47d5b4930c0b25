package sftpdriver

import (
	"context"
	"path"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// created holds the files that Peek has made and opened, by their paths.
type created struct {
	mu      sync.Mutex // guards handles
	handles map[string]string
}

func (c *created) put(p, handle string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handles == nil {
		c.handles = make(map[string]string)
	}
	c.handles[p] = handle
}

func (c *created) has(p string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.handles[p] != ""
}

// take returns the handle of a file that Peek has made, once, or "".
func (c *created) take(p string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	handle := c.handles[p]
	delete(c.handles, p)
	return handle
}

// Peek implements [transport.Peeker]. For a Store, the file is made and opened unless
// it exists (SSH_FXF_EXCL), behind the question whether it does.
func (c *Conn) Peek(ctx context.Context, store bool, names ...string) []transport.Looked {
	looked := make([]transport.Looked, len(names))
	if len(names) == 0 {
		return looked
	}
	all := func(err error) []transport.Looked {
		for i := range looked {
			looked[i].Err = err
		}
		return looked
	}
	last := names[len(names)-1]
	k, err := c.begin(ctx, "STAT", false, names[0], names[1:]...)
	if err != nil {
		return all(err)
	}
	b := &burst{p: c.pipe}
	stats := make([]*reply, len(names))
	for i, name := range names {
		stats[i] = b.add(fxpStat, putString(nil, name))
	}
	var open *reply
	if store && !c.sole() {
		open = b.add(fxpOpen, openRequest(last, fxfWrite|fxfCreat|fxfExcl))
	}
	sent := time.Now()
	b.send()
	refusals := make([]error, len(names))
	for i, name := range names {
		var a attrs
		err := stats[i].parse(fxpAttrs, func(r *reader) { a = r.attrs() })
		if err != nil && statusOf(err) == nil {
			return all(k.end(err))
		}
		refusals[i] = err
		looked[i].Entry = a.entry(path.Base(name), "")
		c.tripped(stats[i].at.Sub(sent))
	}
	var handle string
	if open != nil {
		if handle, err = open.handle(); err != nil && statusOf(err) == nil {
			return all(k.end(err))
		}
	}
	if err := k.end(nil); err != nil {
		return all(err)
	}
	for i, err := range refusals {
		if err != nil {
			k.path = names[i]
			looked[i] = transport.Looked{Err: k.classify(err)}
		}
	}
	switch {
	case handle == "":
	case transport.KindOf(looked[len(names)-1].Err) == transport.KindNotExist:
		c.created.put(last, handle)
	default:
		// The server does not know SSH_FXF_EXCL, or does not say whether the name was
		// there: what it opened may hold something, and stays.
		c.pipe.send(fxpClose, putString(nil, handle)).drop()
	}
	return looked
}

// forgetPatience bounds Forget, which is nobody's aim.
const forgetPatience = 2 * time.Second

// Forget implements [transport.Peeker]. A file that somebody else has begun to write
// to stays. It works also when ctx has ended: a handle would stay open otherwise.
func (c *Conn) Forget(ctx context.Context, p string) {
	if !c.created.has(p) || !c.Usable() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), forgetPatience)
	defer cancel()
	k, err := c.begin(ctx, "CLOSE", true, p)
	if err != nil {
		return
	}
	handle := c.created.take(p)
	b := &burst{p: c.pipe}
	stat := b.add(fxpFstat, putString(nil, handle))
	b.add(fxpClose, putString(nil, handle)).drop()
	b.send()
	var a attrs
	err = stat.parse(fxpAttrs, func(r *reader) { a = r.attrs() })
	if err == nil && a.hasSize && a.size == 0 {
		k.at("REMOVE", p)
		err = c.pipe.send(fxpRemove, putString(nil, p)).parse(fxpStatus, nil)
	}
	_ = k.end(err)
}
