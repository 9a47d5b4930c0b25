package conformance

import (
	"context"
	"os"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// lists is how many random lists a test carries out: full with FTPX_BATCHES=full.
func lists(short, full int) int {
	if os.Getenv("FTPX_BATCHES") == "full" {
		return full
	}
	return short
}

// pretended is a server in memory for batches, and its disk.
func pretended(f flavour) (*memconn.Server, BatchOptions) {
	s := memconn.New(f.options)
	return s, BatchOptions{Disk: memory{s.Files()}}
}

func dialMemory(t T, s *memconn.Server, p transport.Protocol) transport.Conn {
	t.Helper()
	c, err := s.Dial(t.Context(), &transport.Endpoint{Protocol: p, Host: "memory"})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	return c
}

func TestBatchesInMemory(t *testing.T) {
	var some []flavour
	for _, f := range flavours {
		switch f.name {
		case "sftp", "ftps", "openssh", "vsftpd", "able":
			some = append(some, f)
		}
	}
	for _, f := range some {
		t.Run(f.name, func(t *testing.T) {
			s, opts := pretended(f)
			opts.Lists = lists(2000, 10_000) / len(some)
			runBatches(tester{t}, func(t T) transport.Conn { return dialMemory(t, s, f.protocol) }, opts)
		})
	}
}

func TestBatchesEmbedded(t *testing.T) {
	for _, p := range []transport.Protocol{transport.SFTP, transport.FTP, transport.FTPS} {
		t.Run(p.String(), func(t *testing.T) {
			root := served(t)
			d := newDriver(embedded(t, p, root, nil))
			RunBatches(t, d.open, BatchOptions{Lists: lists(60, 1000), Disk: OnDisk(root, nil), Forbidden: "forbidden"})
		})
	}
}

// doer is a connection that carries out batches in its own way.
type doer struct {
	transport.Conn
	do func(ctx context.Context, inner transport.Conn, b *transport.Batch) error
}

func (d *doer) Do(ctx context.Context, b *transport.Batch) error { return d.do(ctx, d.Conn, b) }

// single carries out one request whose condition has been asked.
func single(ctx context.Context, c transport.Conn, r transport.Request) error {
	h := r.Common()
	asked := h.If
	h.If = nil
	defer func() { h.If = asked }()
	if err := c.Do(ctx, transport.NewBatch(r)); err != nil {
		return err
	}
	return h.Err
}

// wrongDrivers break the rules of batches in one way each.
func wrongDrivers(s *memconn.Server) map[string]func(context.Context, transport.Conn, *transport.Batch) error {
	inTurn := func(ctx context.Context, c transport.Conn, b *transport.Batch) error {
		return transport.InTurn(ctx, b, c.Usable, func(ctx context.Context, r transport.Request) error { return single(ctx, c, r) })
	}
	return map[string]func(context.Context, transport.Conn, *transport.Batch) error{
		"asks a condition too early": func(ctx context.Context, c transport.Conn, b *transport.Batch) error {
			for _, r := range b.Requests {
				if h := r.Common(); h.If != nil {
					said := h.If()
					h.If = func() bool { return said }
				}
			}
			return c.Do(ctx, b)
		},
		"asks when the request has been carried out": func(ctx context.Context, c transport.Conn, b *transport.Batch) error {
			for i, r := range b.Requests {
				if err := single(ctx, c, r); err != nil && !c.Usable() {
					b.Unsent(i + 1)
					return err
				}
				if h := r.Common(); h.If != nil && !h.If() {
					b.Skip(i)
					return nil
				}
			}
			return nil
		},
		"does not ask": func(ctx context.Context, c transport.Conn, b *transport.Batch) error {
			for _, r := range b.Requests {
				r.Common().If = nil
			}
			return c.Do(ctx, b)
		},
		"carries on after a false condition": func(ctx context.Context, c transport.Conn, b *transport.Batch) error {
			for i, r := range b.Requests {
				if h := r.Common(); h.If != nil && !h.If() {
					h.Err = transport.ErrSkipped
				} else if err := single(ctx, c, r); err != nil && !c.Usable() {
					b.Unsent(i + 1)
					return err
				}
			}
			return nil
		},
		"carries on in secret": func(ctx context.Context, c transport.Conn, b *transport.Batch) error {
			err := inTurn(ctx, c, b)
			for i, r := range b.Requests {
				if r.Common().Err == transport.ErrSkipped && c.Usable() {
					_ = single(ctx, c, r)
					b.Skip(i)
					break
				}
			}
			return err
		},
		"stops at a refusal": func(ctx context.Context, c transport.Conn, b *transport.Batch) error {
			for i, r := range b.Requests {
				if h := r.Common(); h.If != nil && !h.If() {
					b.Skip(i)
					return nil
				}
				if err := single(ctx, c, r); err != nil {
					b.Unsent(i + 1)
					return err
				}
			}
			return nil
		},
		"reorders two requests": func(ctx context.Context, c transport.Conn, b *transport.Batch) error {
			rs := b.Requests
			for i := range rs[:max(len(rs)-1, 0)] {
				if rs[i].Common().If == nil && rs[i+1].Common().If == nil {
					swapped := append([]transport.Request{}, rs...)
					swapped[i], swapped[i+1] = rs[i+1], rs[i]
					return c.Do(ctx, &transport.Batch{Requests: swapped})
				}
			}
			return c.Do(ctx, b)
		},
		"gives ErrUnsent for what was sent": func(ctx context.Context, c transport.Conn, b *transport.Batch) error {
			err := inTurn(ctx, c, b)
			for _, r := range b.Requests {
				if q, ok := r.(*transport.Mkdir); ok && q.Err == transport.ErrUnsent {
					// It had left with what is before it, and the server did it.
					s.Files().MkdirAll(q.Path)
					break
				}
			}
			return err
		},
		"forgets a result": func(ctx context.Context, c transport.Conn, b *transport.Batch) error {
			n := len(b.Requests)
			if n < 3 {
				return c.Do(ctx, b)
			}
			return c.Do(ctx, &transport.Batch{Requests: b.Requests[:n-1]})
		},
		"hides the end of the session": func(ctx context.Context, c transport.Conn, b *transport.Batch) error {
			_ = c.Do(ctx, b)
			return nil
		},
		"gives the result of another": func(ctx context.Context, c transport.Conn, b *transport.Batch) error {
			err := c.Do(ctx, b)
			var last *transport.Stat
			for _, r := range b.Requests {
				if q, ok := r.(*transport.Stat); ok {
					if last != nil {
						last.Entry, q.Entry = q.Entry, last.Entry
					}
					last = q
				}
			}
			return err
		},
	}
}

// TestWrongBatches: each way to break the rules is noticed, with any seed.
func TestWrongBatches(t *testing.T) {
	s, opts := pretended(able)
	opts.Lists = 400
	for name, do := range wrongDrivers(s) {
		t.Run(name, func(t *testing.T) {
			log := record(func(t T) {
				runBatches(t, func(t T) transport.Conn {
					return &doer{Conn: dialMemory(t, s, able.protocol), do: do}
				}, opts)
			})
			if len(log.failures) == 0 {
				t.Fatalf("%d lists did not notice", opts.Lists)
			}
			t.Log(log.failures[0].text)
		})
	}
}
