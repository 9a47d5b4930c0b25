package memconn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Do carries out a batch one request after the other, which is what a batch means. Real
// drivers are compared with it.
func (c *Conn) Do(ctx context.Context, b *transport.Batch) error {
	if err := c.enter(ctx); err != nil {
		b.Unsent(0)
		return err
	}
	defer c.leave()
	return transport.InTurn(ctx, b, c.Usable, c.one)
}

// enter begins a batch. That there are more at once than the connection takes is a
// mistake of the caller's, which a real server would answer with anything.
func (c *Conn) enter(ctx context.Context) error {
	c.mu.Lock()
	most := max(c.caps.Overlap, 1)
	if c.busy >= most {
		c.mu.Unlock()
		panic(fmt.Sprintf("memconn: Do was called while %d batches are under way on the same connection, which takes %d", most, most))
	}
	idle := c.busy == 0 && c.s.opts.IdleTimeout > 0 && time.Since(c.last) >= c.s.opts.IdleTimeout
	c.busy++
	c.mu.Unlock()
	if idle {
		c.lose(errIdle)
	}
	if !c.caps.InTurn {
		return nil
	}
	select {
	case c.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		c.quit()
		return c.ep.Fail("wait", "", transport.KindCanceled, canceled(ctx))
	case <-c.done:
		c.quit()
		return c.ep.Fail("wait", "", transport.KindLost, c.reason())
	}
}

func (c *Conn) leave() {
	if c.caps.InTurn {
		<-c.turn
	}
	c.quit()
}

func (c *Conn) quit() {
	c.mu.Lock()
	c.last = time.Now()
	c.busy--
	c.mu.Unlock()
}

func (c *Conn) one(ctx context.Context, r transport.Request) (err error) {
	switch r := r.(type) {
	case *transport.Stat:
		r.Entry, err = c.stat(ctx, r.Path)
	case *transport.List:
		err = c.list(ctx, r.Path, r.Yield)
	case *transport.Store:
		r.Stored, err = c.store(ctx, r)
	case *transport.Retrieve:
		r.Received, err = c.retrieve(ctx, r)
	case *transport.Rename:
		err = c.rename(ctx, r.From, r.To, r.Replace)
	case *transport.Remove:
		err = c.remove(ctx, r.Path)
	case *transport.Mkdir:
		err = c.mkdir(ctx, r.Path)
	case *transport.Rmdir:
		err = c.rmdir(ctx, r.Path)
	case *transport.SetTime:
		err = c.chtimes(ctx, r.Path, r.Time)
	case *transport.SetMode:
		err = c.chmod(ctx, r.Path, r.Mode)
	case *transport.Truncate:
		err = c.truncate(ctx, r.Path, r.Size)
	case *transport.Hash:
		r.Sum, err = c.hash(ctx, r.Path, r.Algo, r.Offset, r.Size)
	case *transport.Ping:
		err = c.ping(ctx)
	default:
		err = c.ep.Fail(fmt.Sprintf("%T", r), "", transport.KindUnsupported, errors.ErrUnsupported)
	}
	return err
}
