package charset

import (
	"context"
	"path"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Do carries out a batch whose names are in UTF-8. A name that the character set does
// not have is [transport.KindName], and the others of its batch go out one by one.
func (c *Conn) Do(ctx context.Context, b *transport.Batch) error {
	m, err := c.mapping(b)
	if err == nil {
		return m.do(ctx)
	}
	return transport.InTurn(ctx, b, c.Usable, func(ctx context.Context, r transport.Request) error {
		one, err := c.mapping(&transport.Batch{Requests: []transport.Request{r}})
		if err != nil {
			return err
		}
		one.ifs[0] = nil // InTurn has asked it
		if err := one.do(ctx); err != nil {
			return err
		}
		return r.Common().Err
	})
}

// mapping is a batch while its names are those of the server. The requests themselves
// carry them, so that no kind of request can be forgotten here; each gets its own names
// back before the caller looks at it.
type mapping struct {
	c     *Conn
	n     *names
	batch *transport.Batch
	given [][]string    // the paths of each request, as the caller gave them
	ifs   []func() bool // the conditions, likewise
	done  int           // so many requests are as the caller gave them again
}

// mapping encodes the names of a batch. On an error nothing has been changed.
func (c *Conn) mapping(b *transport.Batch) (*mapping, error) {
	m := &mapping{c: c, n: newNames(c.set), batch: b}
	raw := make([][]string, len(b.Requests))
	for i, r := range b.Requests {
		m.given = append(m.given, nil)
		for _, p := range r.Paths() {
			code, err := c.path(m.n, *p)
			if err != nil {
				return nil, err
			}
			m.given[i], raw[i] = append(m.given[i], *p), append(raw[i], code)
		}
		m.ifs = append(m.ifs, r.Common().If)
	}
	for i, r := range b.Requests {
		for j, p := range r.Paths() {
			*p = raw[i][j]
		}
	}
	return m, nil
}

func (m *mapping) do(ctx context.Context) error {
	for i, r := range m.batch.Requests {
		h := r.Common()
		if h.If = nil; m.ifs[i] != nil {
			h.If = func() bool {
				m.restore(i)
				return m.ifs[i]()
			}
		}
		if list, ok := r.(*transport.List); ok {
			yield := list.Yield
			list.Yield = func(e transport.Entry) bool {
				e.Name, e.Target = m.n.decode(e.Name), m.n.decode(e.Target)
				return yield(e)
			}
			defer func() { list.Yield = yield }()
		}
	}
	err := m.c.Conn.Do(ctx, m.batch)
	m.restore(len(m.batch.Requests))
	return m.n.failure(err)
}

// restore gives the first n requests their own names back, and results that are
// readable.
func (m *mapping) restore(n int) {
	for ; m.done < n; m.done++ {
		r := m.batch.Requests[m.done]
		given := m.given[m.done]
		switch r := r.(type) {
		case *transport.Stat:
			if r.Err == nil {
				r.Entry.Name, r.Entry.Target = path.Base(given[0]), m.n.decode(r.Entry.Target)
			}
		case *transport.Link:
			if !r.Make {
				given[1] = m.n.decode(r.Target)
			}
		case *transport.Raw:
			r.Text = m.n.decode(r.Text)
		}
		for j, p := range r.Paths() {
			*p = given[j]
		}
		h := r.Common()
		h.If, h.Err = m.ifs[m.done], m.n.failure(h.Err)
	}
}
