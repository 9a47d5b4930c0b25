package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// method is one method of a connection, called with a path. touched reports
// whether a source was read, a destination written, or something returned besides
// the error.
type method struct {
	name string
	call func(ctx context.Context, c transport.Calls) (touched bool, err error)
}

// everything returns each method that asks the server something and that caps
// offer, for one path; Rename needs another.
func everything(caps transport.Caps, p, other string) []method {
	simple := func(f func(ctx context.Context, c transport.Calls) error) func(context.Context, transport.Calls) (bool, error) {
		return func(ctx context.Context, c transport.Calls) (bool, error) { return false, f(ctx, c) }
	}
	all := []method{
		{"Stat", func(ctx context.Context, c transport.Calls) (bool, error) {
			st, err := c.Stat(ctx, p)
			return st != transport.Entry{}, err
		}},
		{"List", func(ctx context.Context, c transport.Calls) (touched bool, err error) {
			err = c.List(ctx, p, func(transport.Entry) bool { touched = true; return true })
			return touched, err
		}},
		{"Store", func(ctx context.Context, c transport.Calls) (bool, error) {
			src := strings.NewReader("text")
			n, err := c.Store(ctx, p, 0, src, nil)
			return n != 0 || src.Len() != 4, err
		}},
		{"Retrieve", func(ctx context.Context, c transport.Calls) (bool, error) {
			var out bytes.Buffer
			n, err := c.Retrieve(ctx, p, 0, &out, nil)
			return n != 0 || out.Len() > 0, err
		}},
		{"Rename from", simple(func(ctx context.Context, c transport.Calls) error { return c.Rename(ctx, p, other, true) })},
		{"Rename to", simple(func(ctx context.Context, c transport.Calls) error { return c.Rename(ctx, other, p, true) })},
		{"Remove", simple(func(ctx context.Context, c transport.Calls) error { return c.Remove(ctx, p) })},
		{"Mkdir", simple(func(ctx context.Context, c transport.Calls) error { return c.Mkdir(ctx, p) })},
		{"Rmdir", simple(func(ctx context.Context, c transport.Calls) error { return c.Rmdir(ctx, p) })},
	}
	if caps.SetTime {
		all = append(all, method{"Chtimes", simple(func(ctx context.Context, c transport.Calls) error {
			return c.Chtimes(ctx, p, time.Unix(1e9, 0))
		})})
	}
	if caps.Truncate {
		all = append(all, method{"Truncate", simple(func(ctx context.Context, c transport.Calls) error { return c.Truncate(ctx, p, 0) })})
	}
	if len(caps.Hashes) > 0 {
		all = append(all, method{"Hash", func(ctx context.Context, c transport.Calls) (bool, error) {
			sum, err := c.Hash(ctx, p, caps.Hashes[0], 0, -1)
			return sum != nil, err
		}})
	}
	return all
}

// What would break out of a command line is refused, and nothing is sent.
func caseHostilePaths(e *env) {
	e.put(e.at("victim"), random(10))
	for _, p := range []string{
		"", "a\rb", "a\nb", "a\r\nb", "a\x00b", "\r\n", "\x00", e.at("victim") + "\x00", e.at("victim") + "\r\n",
		"x\r\nDELE " + e.at("victim"),
	} {
		for _, m := range everything(e.c.Info().Caps, p, e.at("victim")) {
			what := fmt.Sprintf("%s of %q", m.name, p)
			var before int64
			if e.opts.Sent != nil {
				before = e.opts.Sent()
			}
			touched, err := m.call(e.ctx, e.c)
			e.fails(what, err, transport.KindInvalid)
			if touched {
				e.Errorf("%s: the source was read, the destination written or something returned", what)
			}
			if e.opts.Sent != nil && e.opts.Sent() != before {
				e.Errorf("%s: %d commands were sent", what, e.opts.Sent()-before)
			}
			if !e.c.Usable() {
				e.Fatalf("%s has cost the connection", what)
			}
		}
	}
	e.inStep("hostile paths")
	e.holds(e.at("victim"), random(10))
	e.wantEntries(e.dir, map[string]int64{"victim": 10})
}

// A server says "not allowed" in many ways. What counts is that it is a no, and
// that fs.ErrPermission follows the kind.
func casePermission(e *env) {
	if e.opts.Forbidden == "" && e.opts.Unreadable == "" {
		e.Skipf("no forbidden folder and no unreadable file")
	}
	no := func(what string, err error, more ...transport.Kind) {
		e.Helper()
		te := e.fails(what, err, append(more, transport.KindPermission, transport.KindRefused, transport.KindTemporary)...)
		if errors.Is(err, fs.ErrPermission) != (te.Kind == transport.KindPermission) {
			e.Errorf("%s: errors.Is(err, fs.ErrPermission) does not follow the kind of %v", what, err)
		}
		e.inStep(what)
	}
	if p := e.opts.Forbidden; p != "" {
		n, err := e.c.Store(e.ctx, p+"/new", 0, bytes.NewReader(random(300_000)), nil)
		no("Store into a forbidden folder", err)
		if n != 0 {
			e.Errorf("n = %d", n)
		}
		no("Mkdir in a forbidden folder", e.c.Mkdir(e.ctx, p+"/folder"))
		e.put(e.at("f"), random(4))
		no("Rename into a forbidden folder", e.c.Rename(e.ctx, e.at("f"), p+"/f", true))
		e.holds(e.at("f"), random(4))
	}
	if p := e.opts.Unreadable; p != "" {
		var out bytes.Buffer
		n, err := e.c.Retrieve(e.ctx, p, 0, &out, nil)
		// vsftpd says no more than "Failed to open file.", which is mostly that
		// of a missing one.
		no("Retrieve of an unreadable file", err, transport.KindNotExist)
		if n != 0 || out.Len() != 0 {
			e.Errorf("n = %d, the destination got %d", n, out.Len())
		}
	}
}
