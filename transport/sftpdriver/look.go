package sftpdriver

import (
	"context"
	"io"
	"path"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// RetrieveLook implements [transport.Looker]: the file is opened in the round trip in
// which it is looked at.
func (c *Conn) RetrieveLook(ctx context.Context, p string, dst io.Writer, opt *transport.IO, _ bool, seen func(transport.Entry) error) (int64, error) {
	k, err := c.begin(ctx, "STAT", false, p)
	if err != nil {
		return 0, err
	}
	n, err := k.retrieveLook(p, dst, opt, seen)
	if !k.refused {
		return n, k.end(err)
	}
	// It is the caller's own word, which stays as it is.
	if eerr := k.end(nil); eerr != nil {
		return n, eerr
	}
	return n, err
}

func (k *call) retrieveLook(p string, dst io.Writer, opt *transport.IO, seen func(transport.Entry) error) (int64, error) {
	b := &burst{p: k.c.pipe}
	stat := b.add(fxpStat, putString(nil, p))
	open := b.add(fxpOpen, openRequest(p, fxfRead))
	sent := time.Now()
	b.send()
	var a attrs
	err := stat.parse(fxpAttrs, func(r *reader) { a = r.attrs() })
	if err != nil {
		k.abandon(open)
		return 0, err
	}
	k.c.tripped(stat.at.Sub(sent))
	entry := a.entry(path.Base(p), "")
	if err = k.findType(p, &entry); err != nil {
		k.abandon(open)
		return 0, err
	}
	k.op.Aside(func() { err = seen(entry) })
	if err != nil {
		k.refused = true
		k.abandon(open)
		return 0, err
	}
	k.at("OPEN", p)
	handle, err := open.handle()
	if err != nil {
		return 0, err
	}
	hinted := transport.IO{Size: max(entry.Size, 0)}
	if opt != nil {
		hinted.Progress = opt.Progress
	}
	return k.retrieveOpen(p, handle, k.c.newLanes(openRequest(p, fxfRead), hinted.Size), 0, dst, &hinted)
}

// abandon closes what an SSH_FXP_OPEN under way brings.
func (k *call) abandon(open *reply) {
	if handle, err := open.handle(); err == nil {
		k.c.pipe.send(fxpClose, putString(nil, handle)).drop()
	}
}
